"""The part of Lethe's code that is stored with a registered model: only what loading it needs."""

import shutil
from pathlib import Path

from tasks.checkout.imports import files_run_by, own_root

PACKAGE = "unlearn_core"


def copy_needed(module: str, folder: Path) -> Path:
    """Copy the core modules that a module needs, so that it runs where Lethe is not installed.

    Args:
        module: The module's full name.
        folder: Where to copy them.

    Returns:
        The package's copy in the folder.
    """
    for path in files_run_by(module):
        if path.parts[0] == PACKAGE:
            copy = folder / path
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(own_root() / path, copy)
    return folder / PACKAGE
