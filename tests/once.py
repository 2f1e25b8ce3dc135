"""What is made once in a test run, by whichever worker process needs it first, and shared by all."""

import fcntl
import os
from collections.abc import Callable
from pathlib import Path

import pytest

_folders: list[Path] = []


def share(factory: pytest.TempPathFactory) -> None:
    """Say where the run's shared folder is; workers have folders of their own inside it."""
    own = factory.getbasetemp()
    _folders[:] = [own.parent if "PYTEST_XDIST_WORKER" in os.environ else own]


def made_once(name: str, make: Callable[[Path], object]) -> Path:
    """Return a folder of the run.

    Args:
        name: Its name.
        make: Makes it, at a path that does not exist yet.
    """
    (shared,) = _folders
    path = shared / "once" / name
    path.parent.mkdir(exist_ok=True)
    with path.with_name(f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            making = path.with_name(f"{name}.making")
            make(making)
            making.rename(path)
    return path
