"""Stores that are folders: of a project, of a cache, of a worker."""

import mmap
import os
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tasks.checkout.files import compact_database
from tasks.checkout.regular import open_regular
from tasks.traces.stored import Content, StoredObject


@dataclass(frozen=True)
class FilesBelow:
    """All files below a folder; links are not followed, since what they lead to lies elsewhere.

    Attributes:
        name: The store's name.
        place: Where it is, in words.
        top: The folder; nothing is found if it does not exist.
        without: Paths below it that are stores of their own.
        derived: Names of folders directly below it in which everything is derived.
    """

    name: str
    place: str
    top: Path
    without: frozenset[Path] = frozenset()
    derived: frozenset[str] = frozenset()

    def objects(self) -> Iterator[StoredObject]:
        """Yield every file."""
        for folder, names, files in os.walk(self.top):
            here = Path(folder)
            names[:] = sorted(name for name in names if here / name not in self.without)
            for name in sorted(files):
                path = here / name
                if path not in self.without and path.is_file() and not path.is_symlink():
                    yield self._stored(path)

    def settle(self, erased: Collection[str], databases: Collection[str]) -> None:
        """Compact databases, and remove folders that are empty."""
        for address in databases:
            compact_database(self.top / address)
        emptied = {parent for address in erased for parent in (self.top / address).parents}
        for folder in sorted(emptied - {self.top, *self.top.parents}, reverse=True):
            with suppress(OSError):  # it is not empty
                folder.rmdir()

    def _stored(self, path: Path) -> StoredObject:
        within = path.relative_to(self.top)
        return StoredObject(
            address=within.as_posix(),
            size=path.stat().st_size,
            read=lambda: mapped(path),
            folders=frozenset((within.parent.as_posix(),)),
            derived=within.parts[0] in self.derived,
            erase=partial(path.unlink, missing_ok=True),
        )


def mapped(path: Path) -> Content:
    """Return a file's content, read from the disk as it is needed."""
    with open_regular(path) as file:
        if os.fstat(file.fileno()).st_size == 0:
            return b""
        return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
