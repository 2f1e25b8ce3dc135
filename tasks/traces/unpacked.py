"""Bytes that were unpacked, and how much may be."""

import lzma
import sqlite3
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pyarrow as pa

from tasks.traces.stored import Content
from unlearn_core.errors import UsageError

DAMAGED = (
    pa.ArrowException,
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    lzma.LZMAError,
    sqlite3.Error,
    struct.error,
    UsageError,
    OSError,
    EOFError,
    ValueError,
    LookupError,
    ArithmeticError,
    # A compression that is not known, and a member that asks for a password.
    RuntimeError,
)
"""How the readers say that a content is not what it says it is, or cannot be read."""


@dataclass(frozen=True)
class Unpacked:
    """Bytes to search.

    Attributes:
        content: The bytes.
        apart: Whether values stand apart in it.
        whole: Whether all was looked into; False beside what is packed too deep, too large or damaged.
    """

    content: Content
    apart: bool = True
    whole: bool = True


CLOSED = Unpacked(b"", whole=False)
"""Stands for what was not looked into."""


@dataclass(frozen=True)
class Room:
    """How much more may be unpacked.

    Attributes:
        size: Bytes that may be held at a time.
        depth: How often something packed may hold something packed.
    """

    size: int
    depth: int

    def within(self, content: Content) -> "Room":
        """Return what is left inside of something unpacked."""
        return Room(max(self.size - len(content), 0), self.depth - 1)


Unpack = Callable[[Content, Room], Iterator[Unpacked | Content]]
"""Yields what lies in a content: what is to be searched as it is, and contents that may be packed again."""


def value_as_bytes(value: object) -> bytes:
    """Return a database's value as bytes; numbers as text."""
    return value if isinstance(value, bytes) else str(value).encode()
