"""What an object holds in a form that a search for bytes does not see: what is compressed or encoded."""

import gzip
import io
import sqlite3
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain

import pyarrow as pa
import pyarrow.parquet as pq

from tasks.data.headers import read_header
from tasks.traces.stored import Content
from unlearn_core.data import open_image
from unlearn_core.errors import UsageError

MOST_BYTES = 2**30
"""Of one file in an archive: more is a trap, or no file of ours."""

_PICTURES = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"RIFF", b"BM", b"II*\x00", b"MM\x00*", b"P5", b"P6")
_DATABASE = b"SQLite format 3\x00"


@dataclass(frozen=True)
class Unpacked:
    """Bytes to search.

    Attributes:
        content: The bytes.
        apart: Whether values stand apart in it.
    """

    content: Content
    apart: bool = True


def parts(content: Content) -> Iterator[Unpacked]:
    """Yield a content as it is, and everything in it that is compressed or encoded.

    What says that it is of a kind and cannot be read as such is only searched as it is.

    Args:
        content: An object's content.

    Yields:
        The parts.
    """
    start = bytes(content[: len(_DATABASE)])
    yield Unpacked(content, apart=start != _DATABASE)
    for magic, unpack in _KINDS:
        if start.startswith(magic):
            try:
                yield from unpack(content)
            except _DAMAGED:
                return


_DAMAGED = (pa.ArrowException, zipfile.BadZipFile, zlib.error, sqlite3.Error, UsageError, OSError, ValueError)
"""How the readers say that a content is not what it says it is."""


def _columns(content: Content) -> Iterator[Unpacked]:
    """Yield the columns of a Parquet file: text as values, all else as it lies in memory."""
    file = pq.ParquetFile(pa.BufferReader(pa.py_buffer(content)))
    for group in range(file.num_row_groups):
        for column in file.read_row_group(group).columns:
            if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
                yield Unpacked("\0".join(filter(None, column.to_pylist())).encode())
            else:
                buffers = chain.from_iterable(chunk.buffers() for chunk in column.chunks)
                yield from (Unpacked(memoryview(one), apart=False) for one in buffers if one is not None)


def _members(content: Content) -> Iterator[Unpacked]:
    """Yield the files of a zip archive, as NumPy and others write them."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for member in archive.infolist():
            if not member.is_dir() and member.file_size <= MOST_BYTES:
                yield from parts(archive.read(member))


def _unzipped(content: Content) -> Iterator[Unpacked]:
    """Yield what gzip has compressed."""
    with gzip.open(io.BytesIO(content)) as stream:
        yield from parts(stream.read(MOST_BYTES))


def _values(content: Content) -> Iterator[Unpacked]:
    """Yield the values of a SQLite database, which its pages hold without anything between them."""
    with sqlite3.connect(":memory:") as database:
        database.deserialize(bytes(content))
        tables = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        for (table,) in tables:
            rows = database.execute(f'SELECT * FROM "{table.replace(chr(34), chr(34) * 2)}"')
            yield Unpacked(b"\0".join(_as_bytes(value) for value in chain.from_iterable(rows)))
    database.close()


def _as_bytes(value: object) -> bytes:
    """Return a database's value as bytes; numbers as text."""
    return value if isinstance(value, bytes) else str(value).encode()


def _pixels(content: Content) -> Iterator[Unpacked]:
    """Yield an image's pixels, of one format or another."""
    encoded = bytes(content)
    read_header(io.BytesIO(encoded), follow=False)
    yield Unpacked(open_image(encoded).tobytes(), apart=False)


_KINDS: tuple[tuple[bytes | tuple[bytes, ...], Callable[[Content], Iterator[Unpacked]]], ...] = (
    (b"PAR1", _columns),
    (b"PK\x03\x04", _members),
    (b"\x1f\x8b", _unzipped),
    (_DATABASE, _values),
    (_PICTURES, _pixels),
)
