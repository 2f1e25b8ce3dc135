"""Which Lethe runs, and which one a project was made with.

A user's project records its Lethe in ``lethe.json``, and no other Lethe works in it. A clone of Lethe's own
repository runs the code in it: there git identifies the code, and nothing is pinned.
"""

from functools import cache
from importlib import metadata
from pathlib import Path

from tasks.checkout.files import file_digest, read_record
from tasks.checkout.imports import PACKAGES, own_root
from unlearn_core.errors import SetupError
from unlearn_core.records.base import canonical_json, sha256
from unlearn_core.records.project import Software

DISTRIBUTION = "lethe-unlearning"
PINNED = "lethe.json"


@cache
def installed() -> Software:
    """Return which Lethe runs: the installed version, and the digest of all its Python files."""
    root = own_root()
    files = sorted(path for package in PACKAGES for path in (root / package).rglob("*.py"))
    code = {path.relative_to(root).as_posix(): file_digest(path) for path in files}
    return Software(version=metadata.version(DISTRIBUTION), code=sha256(canonical_json(code)))


def is_source(root: Path) -> bool:
    """Tell whether the running Lethe is in this very folder, as in a clone of its repository."""
    return root.resolve() == own_root()


def read_pinned(root: Path) -> Software | None:
    """Return the Lethe that a project was made with, or None if it does not say so."""
    path = root / PINNED
    return read_record(path, Software) if path.is_file() else None


def require_pinned(root: Path) -> None:
    """Refuse to work in a project that was made with a Lethe other than the running one.

    Args:
        root: The project.

    Raises:
        SetupError: If it was, or if it does not say which Lethe it was made with.
    """
    if is_source(root) or (pinned := read_pinned(root)) == installed():
        return
    if pinned is None:
        raise SetupError(
            f"the project does not say which Lethe it was made with: {PINNED} is missing. `lethe upgrade` "
            f"writes it for the installed one, {installed()}"
        )
    raise SetupError(
        f"this project was made with Lethe {pinned}, but {installed()} is installed: install the project's, "
        "or run `lethe upgrade`, which says which stages will be due again"
    )
