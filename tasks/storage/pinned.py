"""What DVC pins in a checkout: the outputs in its lock, and what its ``.dvc`` files point to."""

from collections.abc import Iterator
from pathlib import Path

from tasks.checkout.plain_yaml import load_yaml


def pinned_digests(root: Path) -> dict[str, str]:
    """Return DVC's digest of each output of a checkout, by its path.

    Args:
        root: The checkout.

    Returns:
        The digests; a folder's ends in ``.dir``.
    """
    return dict(_pinned(root))


def _pinned(root: Path) -> Iterator[tuple[str, str]]:
    lock = root / "dvc.lock"
    for stage in load_yaml(lock)["stages"].values() if lock.is_file() else ():
        yield from ((out["path"], out["md5"]) for out in stage.get("outs", ()))
    folders = ("requests", "data/generations", "models/generations", "models/references")
    for pointer in (path for folder in folders for path in sorted((root / folder).glob("*.dvc"))):
        for out in load_yaml(pointer)["outs"]:
            yield (pointer.parent / out["path"]).relative_to(root).as_posix(), out["md5"]
