"""The part of Lethe's code that goes with a registered model: what loading it needs, and nothing more."""

import ast
import shutil
from collections.abc import Iterator
from pathlib import Path

import unlearn_core

PACKAGE = "unlearn_core"


def copy_needed(program: Path, folder: Path) -> Path:
    """Copy those of the core's modules that a program needs, so that it runs where Lethe is not installed.

    Args:
        program: The program's file.
        folder: Where to.

    Returns:
        The package's copy in the folder.
    """
    root = Path(str(unlearn_core.__file__)).parent
    for path in sorted(_needed(program, root)):
        copy = folder / PACKAGE / path.relative_to(root)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
    return folder / PACKAGE


def _needed(program: Path, root: Path) -> set[Path]:
    """Return the files of the package that a file imports, directly or not."""
    found, waiting = set[Path](), [program]
    while waiting:
        for path in _imported(waiting.pop(), root):
            if path not in found:
                found.add(path)
                waiting.append(path)
    return found


def _imported(file: Path, root: Path) -> Iterator[Path]:
    """Yield the files of the package that a file names in its imports, and the packages that they are in."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        names = [alias.name for alias in node.names] if isinstance(node, (ast.Import, ast.ImportFrom)) else []
        if isinstance(node, ast.ImportFrom):
            names = [str(node.module), *(f"{node.module}.{name}" for name in names)]
        for name in names:
            if name.split(".")[0] == PACKAGE:
                yield from _files_of(root.parent / Path(*name.split(".")), root)


def _files_of(module: Path, root: Path) -> Iterator[Path]:
    """Yield a module's file, if it is one, and those of the packages above it."""
    if module.with_suffix(".py").is_file():
        yield module.with_suffix(".py")
    for package in (module, *module.parents):
        if (package / "__init__.py").is_file():
            yield package / "__init__.py"
        if package == root:
            return
