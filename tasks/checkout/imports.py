"""Which of Lethe's files a module runs, from the import graph."""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import unlearn_core

if TYPE_CHECKING:
    from grimp import ImportGraph

PACKAGES = ("flows", "tasks", "unlearn_core")


def own_root() -> Path:
    """Return the folder that holds the packages of the running Lethe."""
    return Path(str(unlearn_core.__file__)).resolve().parent.parent


def files_run_by(module: str) -> list[Path]:
    """Return the files that run when a module is imported.

    Args:
        module: Its full name, e.g. ``flows.stages.split``.

    Returns:
        Its file, those of everything that it imports, directly or not, also inside functions, and those of
        the packages that these are in; relative to ``own_root``, in order.
    """
    graph = _import_graph()
    found, waiting = set[str](), {module}
    while waiting:
        name = waiting.pop()
        found.add(name)
        # Importing a module runs the packages above it first.
        package = name.rpartition(".")[0]
        waiting |= {*graph.find_modules_directly_imported_by(name), package} - found - {""}
    return sorted(_file(name) for name in found)


@cache
def _import_graph() -> "ImportGraph":
    from grimp import build_graph

    return build_graph(*PACKAGES, cache_dir=None)


def _file(module: str) -> Path:
    """Return a module's file, or a package's ``__init__.py``."""
    path = Path(*module.split("."))
    file = path.with_suffix(".py")
    return file if (own_root() / file).is_file() else path / "__init__.py"
