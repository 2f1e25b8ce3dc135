"""The digest of another package's code."""

from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from pathlib import Path

from unlearn_core.errors import ConfigurationError
from unlearn_core.records.base import Sha256, canonical_json, sha256


def package_digest(module: str) -> Sha256:
    """Return the digest of all the code that a module belongs to; none of it is run.

    Args:
        module: A module's full name.

    Returns:
        The digest of every file of the package that it is in, except compiled ones, or of its own file if it
        is in no package.

    Raises:
        ConfigurationError: If it is not stored in files.
    """
    spec = _outermost(module)
    if spec is None or spec.origin is None or not (path := Path(spec.origin)).is_file():
        raise ConfigurationError(f"the code of {module} is not stored in files, so it has no digest")
    folder = path.parent
    files = [path]
    if spec.submodule_search_locations:
        files = [file for file in sorted(folder.rglob("*")) if file.is_file() and _is_code(file)]
    return sha256(
        canonical_json(
            [[str(file.relative_to(folder).as_posix()), sha256(file.read_bytes())] for file in files]
        )
    )


def _outermost(module: str) -> ModuleSpec | None:
    """Find a module's outermost package that is not a mere namespace, or the module itself."""
    parts = module.split(".")
    for count in range(1, len(parts) + 1):
        spec = find_spec(".".join(parts[:count]))
        if spec is None or spec.origin is not None:
            return spec
    return None


def _is_code(file: Path) -> bool:
    return "__pycache__" not in file.parts and file.suffix != ".pyc"
