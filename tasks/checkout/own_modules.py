"""A project's own modules: one that somebody has named, and what it imports from beside it."""

import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType

from unlearn_core.factories import is_factory, module_of


class _Beside:
    """Finds a module in a project and, once it runs, what it imports from beside it."""

    def __init__(self, root: str, module: str) -> None:
        self.root, self.module = root, module

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return where a module is; None if it is none of the project's, or nothing has asked for those."""
        if path is None and (name == self.module or self.module in sys.modules):
            return PathFinder.find_spec(name, [self.root], target)
        return None


def importable(root: Path, typed: str) -> None:
    """Make a module of a project importable; installed packages take precedence.

    The project's folder is not put on Python's path: libraries import what is optional if there is a module
    of that name, and whoever wrote the project would decide what runs, and when.

    Args:
        root: The project's top folder.
        typed: What somebody has named, as ``module:name``. The name of one of Lethe's own changes nothing.
    """
    if not is_factory(typed):
        return
    place, outermost = str(root.resolve()), module_of(typed).partition(".")[0]
    known = {(one.root, one.module) for one in sys.meta_path if isinstance(one, _Beside)}
    if (place, outermost) not in known:
        sys.meta_path.append(_Beside(place, outermost))
