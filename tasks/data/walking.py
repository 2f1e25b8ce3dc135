"""The files below class folders: which are images, and what is left out."""

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

SUFFIXES = {".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"}
SYSTEM_FOLDERS = {
    *(
        "@eadir",
        "@recycle",
        "@recently-snapshot",
        "@tmp",
        "#recycle",
        "#snapshot",
        "$recycle.bin",
        "recycler",
    ),
    *("system volume information", "lost+found", "found.000", "__macosx", "__pycache__"),
    *("thumbnails", "_thumbnails", "thumbs", "_thumbs"),
}
"""What systems and programs make, in small letters: no classes, and nothing in them is a row."""

_TOLD = {
    "a system's folder": "{count} system folder(s) in {base} are left out",
    "no image suffix": "{count} file(s) in {base} without an image suffix are left out",
    "beside the class folders": "{count} image(s) in {base} beside the class folders are left out",
    "a link to a folder": "{count} link(s) in {base} to folders are left out",
    "no file": "{count} image name(s) in {base} of what is no file are left out",
}
"""Why something is no row, and how that is told."""

Found = tuple[str, int, int]
"""An image's path, size and time."""


class Walk:
    """One walk below a folder.

    Attributes:
        deeper: How many images lie in folders below their class's.
        left_out: What is no row: its path, and why.
    """

    def __init__(self, base: Path) -> None:
        """Begin.

        Args:
            base: The folder that paths are relative to.
        """
        self.deeper = 0
        self.left_out: list[tuple[str, str]] = []
        self._base = base
        self._folders: dict[str, list[str]] = {}

    def folders(self, part: str) -> list[str]:
        """Return the names of the folders in a part that are neither hidden nor a system's.

        Args:
            part: The part's path with a slash, or nothing.

        Returns:
            The names, in order.
        """
        if part in self._folders:
            return self._folders[part]
        names = []
        for entry in os.scandir(self._base / part):
            if entry.is_dir() and not self._is_system(entry.name, f"{part}{entry.name}"):
                names.append(entry.name)
            elif entry.is_file() and Path(entry.name).suffix.lower() in SUFFIXES and entry.name[0] != ".":
                self._leave(f"{part}{entry.name}", "beside the class folders")
        return self._folders.setdefault(part, sorted(names))

    def images(self, folders: Iterable[str]) -> list[Found]:
        """Return every image below folders, in the order of paths."""
        found = []
        for folder in folders:
            below = list(self._below(folder))
            self.deeper += sum("/" in name[len(folder) + 1 :] for name, _, _ in below)
            found += below
        return sorted(found)

    def told(self) -> list[str]:
        """Say what is left out, and how many images lie deeper, without the name of a file."""
        counts = Counter(why for _, why in self.left_out)
        lines = [
            _TOLD[why].format(count=count, base=self._base.name) for why, count in sorted(counts.items())
        ]
        if self.deeper:
            lines.append(f"{self.deeper} image(s) lie in folders below their class's")
        return lines

    def _below(self, folder: str) -> Iterator[Found]:
        if not (self._base / folder).is_dir():
            return
        with os.scandir(self._base / folder) as entries:
            for entry in entries:
                path = f"{folder}/{entry.name}"
                if entry.is_dir(follow_symlinks=False):
                    if not self._is_system(entry.name, path):
                        yield from self._below(path)
                elif entry.name.startswith("."):
                    continue
                elif entry.is_dir():
                    self._leave(path, "a link to a folder")
                elif Path(entry.name).suffix.lower() not in SUFFIXES:
                    self._leave(path, "no image suffix")
                elif entry.is_file() or entry.is_symlink():
                    # A link that leads nowhere is a row that cannot be read, and is listed with those.
                    status = entry.stat(follow_symlinks=entry.is_file())
                    yield path, status.st_size, status.st_mtime_ns
                else:
                    self._leave(path, "no file")

    def _is_system(self, name: str, path: str) -> bool:
        """Tell whether a folder is hidden or a system's; the latter is named."""
        if name.startswith("."):
            return True
        if is_system := name.casefold() in SYSTEM_FOLDERS:
            self._leave(path, "a system's folder")
        return is_system

    def _leave(self, path: str, why: str) -> None:
        self.left_out.append((path, why))
