"""Stores that are folders: of a project, of a cache, of a worker."""

import mmap
import os
import re
import stat
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from tasks.checkout.files import compact_database
from tasks.checkout.log import is_for_people
from tasks.checkout.regular import open_regular
from tasks.traces.stored import Content, StoredObject


@dataclass(frozen=True)
class FilesBelow:
    """All files below a folder; links are not followed, and named unless they lead to what is searched.

    Attributes:
        name: The store's name.
        place: Where it is, in words.
        top: The folder; nothing is found if it does not exist.
        without: Paths below it that are stores of their own.
        left_out: What the addresses of files look like that another store has.
        derived: Names of folders directly below it in which everything is derived.
    """

    name: str
    place: str
    top: Path
    without: frozenset[Path] = frozenset()
    left_out: re.Pattern[str] | None = None
    derived: frozenset[str] = frozenset()

    def location(self) -> str:
        """Return the folder's path, without links."""
        return os.path.realpath(self.top)

    def objects(self) -> Iterator[StoredObject]:
        """Yield every file, and what cannot be read or is a link, with nothing in it."""
        refused = list[OSError]()
        for folder, names, files in os.walk(self.top, onerror=refused.append):
            here = Path(folder)
            names[:] = sorted(name for name in names if here / name not in self.without)
            links = (name for name in names if (here / name).is_symlink())
            for name in sorted([*files, *links]):
                if here / name not in self.without and (found := self._found(here / name)) is not None:
                    yield found
        for error in refused:
            if not isinstance(error, FileNotFoundError):
                yield self._closed(Path(error.filename), _unreadable(error))

    def settle(self, erased: Collection[str], databases: Collection[str]) -> None:
        """Compact databases, and remove folders that are empty."""
        for address in databases:
            compact_database(self.top / address)
        emptied = {parent for address in erased for parent in (self.top / address).parents}
        for folder in sorted(emptied - {self.top, *self.top.parents}, reverse=True):
            with suppress(OSError):  # it is not empty
                folder.rmdir()

    def _found(self, path: Path) -> StoredObject | None:
        """Return what lies somewhere, or None if it has no content, or another store has it."""
        try:
            status = path.lstat()
        except OSError as error:
            return self._closed(path, _unreadable(error))
        if stat.S_ISLNK(status.st_mode):
            return None if self._leads_to_what_is_searched(path) else self._closed(path, _link(path))
        if not stat.S_ISREG(status.st_mode) or self._is_left_out(path):
            return None
        if not os.access(path, os.R_OK, effective_ids=True):
            return self._closed(path, _unreadable(PermissionError(0, "Permission denied")))
        return self._stored(path, status.st_size)

    def _is_left_out(self, path: Path) -> bool:
        address = path.relative_to(self.top).as_posix()
        return self.left_out is not None and self.left_out.fullmatch(address) is not None

    def _leads_to_what_is_searched(self, link: Path) -> bool:
        target = Path(os.path.realpath(link))
        return any(target.is_relative_to(os.path.realpath(place)) for place in (self.top, *self.without))

    def _closed(self, path: Path, why: str) -> StoredObject:
        """Return what is not read; erasing a link leaves what it leads to."""
        return replace(self._stored(path, 0), read=bytes, closed=why)

    def _stored(self, path: Path, size: int) -> StoredObject:
        within = path.relative_to(self.top)
        return StoredObject(
            address=within.as_posix(),
            size=size,
            read=lambda: mapped(path),
            folders=frozenset((within.parent.as_posix(),)),
            derived=not self.derived.isdisjoint(within.parts[:1]),
            erase=partial(path.unlink, missing_ok=True),
        )


def _unreadable(error: OSError) -> str:
    return f"not read ({error.strerror}); search again as somebody who may read it"


def _link(path: Path) -> str:
    """Say what a link is; where it leads to may name somebody, and is for people alone."""
    where = f" to {os.path.realpath(path)}" if is_for_people() else ""
    return f"a link{where}, which is not followed; search there too"


def mapped(path: Path) -> Content:
    """Return a file's content, read from the disk as it is needed."""
    with open_regular(path) as file:
        if os.fstat(file.fileno()).st_size == 0:
            return b""
        return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
