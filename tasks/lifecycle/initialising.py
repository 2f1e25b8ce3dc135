"""Turn a folder into a project: settings, pipeline, DVC, ignore files; no source code of Lethe.

What is written is the content of ``template``. Nothing is overwritten: ignore files are extended, any other
existing file stays. ``lethe.json`` is written last: a folder that has it is a complete project.
"""

from pathlib import Path

from tasks.checkout.environment import MARKS, find_checkout
from tasks.checkout.files import write_atomically, write_record
from tasks.checkout.git import ask_git, run_git
from tasks.checkout.params import read_params
from tasks.checkout.software import PINNED, installed, is_source
from unlearn_core.errors import SetupError
from unlearn_core.records.policy import Policy
from unlearn_core.records.project import Initialised

TEMPLATE = Path(__file__).resolve().with_name("template")
IGNORING = {".gitignore": "gitignore", ".dvcignore": "dvcignore"}
FILES = {
    ".dvc/config": "dvc/config",
    ".dvc/.gitignore": "dvc/gitignore",
    **{name: name for name in (*MARKS, "requests/demo.json", "mlruns/README.md", "README.md")},
}
"""What is written, by path in the project: lines to add, and whole files."""
POINTERS = tuple(f"{name}.dvc" for name in ("data/generations/0", "models/generations/0", "requests/0.json"))
"""Examples of files that DVC writes for git to keep."""


def init_project(folder: Path) -> Initialised:
    """Make a project in a folder, creating the folder and its git repository if missing.

    Args:
        folder: The folder. It may be in a git repository, also below its top.

    Returns:
        What was made, extended and kept.

    Raises:
        SetupError: If the folder is in another project, has its own settings or pipeline, or git ignores
            what it must keep; then only the ignore files were written.
    """
    root = folder.resolve()
    if (root / PINNED).is_file() or is_source(root):
        return Initialised(existed=True)
    _refuse_others(root)
    root.mkdir(parents=True, exist_ok=True)
    if ask_git(root, "rev-parse", "--show-toplevel") is None:
        run_git(root, "init", "--quiet")
    ignoring = {name: _extend(root / name, _template(source)) for name, source in IGNORING.items()}
    _refuse_ignored(root)
    written = {name: _write(root / name, _template(source)) for name, source in FILES.items()}
    write_record(root / PINNED, installed())
    done = {**ignoring, **written, PINNED: "made"}
    made, extended, kept = (
        tuple(name for name, what in done.items() if what == wanted)
        for wanted in ("made", "extended", "kept")
    )
    return Initialised(existed=False, made=made, extended=extended, kept=kept)


def shipped_policy() -> Policy:
    """Return the policy that a new project starts with."""
    return read_params(TEMPLATE).policy


def _template(name: str) -> bytes:
    return (TEMPLATE / name).read_bytes()


def _refuse_others(root: Path) -> None:
    """Refuse a path that is not a folder, is in another project, or already has settings or a pipeline."""
    there = next(place for place in (root, *root.parents) if place.exists())
    if not there.is_dir():
        raise SetupError(f"{there} is not a folder")
    if (found := find_checkout(there)) not in {None, root}:
        raise SetupError(f"{root} is already in the project {found}; choose a folder outside it")
    if other := [name for name in MARKS if _is_other(root / name, _template(name))]:
        raise SetupError(
            f"{root} has its own {' and '.join(other)}, which would be overwritten; nothing was changed. "
            "A project older than `lethe init` only needs `lethe upgrade`; otherwise make the project in a "
            "separate folder, e.g. `lethe init lethe`"
        )


def _is_other(path: Path, content: bytes) -> bool:
    return path.exists() and (path.is_dir() or path.read_bytes() != content)


def _refuse_ignored(root: Path) -> None:
    """Refuse to go on if git would not keep the files that make a project."""
    ignored = ask_git(root, "check-ignore", "--", *FILES, PINNED, "dvc.lock", *POINTERS)
    if ignored:
        raise SetupError(
            f"git ignores {', '.join(ignored.splitlines())}, which a project must keep; `git check-ignore "
            "--verbose PATH` says by which line. Remove it and run `lethe init` again"
        )


def _extend(path: Path, lines: bytes) -> str:
    """Add lines to a file, unless it has them; return what was done."""
    before = path.read_bytes() if path.exists() else b""
    if lines in before:
        return "whole"
    gap = b"\n" if before and not before.endswith(b"\n") else b""
    write_atomically(path.resolve(), before + gap + lines)
    return "extended" if before else "made"


def _write(path: Path, content: bytes) -> str:
    """Write a file if it is missing; return what was done."""
    if path.exists():
        return "kept" if _is_other(path, content) else "whole"
    write_atomically(path, content)
    return "made"
