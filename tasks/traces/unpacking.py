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
from tasks.traces.parquet_pages import LyingError, chunks
from tasks.traces.stored import Content
from unlearn_core.data import open_image
from unlearn_core.errors import UsageError

MOST_BYTES, MOST_DEEP = 2**28, 8
"""What is unpacked of one object at a time, and how often something packed may hold something packed."""

_MOST_ROWS = 65_536
_PICTURES = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"RIFF", b"BM", b"II*\x00", b"MM\x00*", b"P5", b"P6")
_DATABASE = b"SQLite format 3\x00"


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
        return Room(self.size - len(content), self.depth - 1)


_CLOSED = Unpacked(b"", whole=False)


def parts(content: Content, room: Room | None = None) -> Iterator[Unpacked]:
    """Yield a content as it is, and everything in it that is compressed or encoded.

    What says that it is of a kind and cannot be read as such is searched as it is, and not called whole.

    Args:
        content: An object's content.
        room: How much may be unpacked; by default what an object of a store may need.

    Yields:
        The parts.
    """
    room = room or Room(MOST_BYTES, MOST_DEEP)
    start = bytes(content[: len(_DATABASE)])
    yield Unpacked(content, apart=start != _DATABASE)
    for magic, unpack in _KINDS:
        if start.startswith(magic):
            try:
                yield from unpack(content, room) if room.depth else (_CLOSED,)
            except _DAMAGED:
                # An image that is not read is not hidden; anything else may be packed in what is damaged.
                if magic is not _PICTURES:
                    yield _CLOSED
                return


_DAMAGED = (
    pa.ArrowException,
    zipfile.BadZipFile,
    zlib.error,
    sqlite3.Error,
    UsageError,
    OSError,
    EOFError,
    ValueError,
)
"""How the readers say that a content is not what it says it is."""


def _columns(content: Content, room: Room) -> Iterator[Unpacked]:
    """Yield the columns of a Parquet file: text as values, all else as it lies in memory."""
    file = pq.ParquetFile(pa.BufferReader(pa.py_buffer(content)), pre_buffer=False)
    for group in range(file.num_row_groups):
        if (rows := _rows_at_once(content, file, group, room)) is None:
            yield _CLOSED
            continue
        for batch in file.iter_batches(rows, row_groups=[group], use_threads=False):
            for column in batch.columns:
                yield from _of_column(column)


def _of_column(column: pa.Array) -> Iterator[Unpacked]:
    """Yield the values of a column: text as values, all else as it lies in memory.

    What a column is made of is looked into by itself: its buffers are without the values of dictionaries.
    """
    kind = column.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        yield Unpacked("\0".join(filter(None, column.to_pylist())).encode())
    elif inner := _inside(column):
        yield from chain.from_iterable(map(_of_column, inner))
    else:
        yield from (Unpacked(memoryview(one), apart=False) for one in column.buffers() if one is not None)


def _inside(column: pa.Array) -> list[pa.Array]:
    """Return what a column is made of; nothing if it is of plain values."""
    match column:
        case pa.DictionaryArray():
            return [column.dictionary]
        case pa.StructArray():
            return column.flatten()
        case pa.MapArray():
            return [column.keys, column.items]
        case pa.ListArray() | pa.LargeListArray() | pa.FixedSizeListArray():
            return [column.flatten()]
        case pa.ExtensionArray():
            return [column.storage]
        case _:
            return []


def _rows_at_once(content: Content, file: pq.ParquetFile, group: int, room: Room) -> int | None:
    """Return how many rows of a group may be unpacked at a time; None if the group takes too much room.

    What many rows share is held once in a page: unpacked it may take much more than all pages together.
    """
    try:
        found = [*chunks(memoryview(content), file, group)]
    except LyingError:
        return None
    in_lists = sum(chunk.values * chunk.largest for chunk, is_list in found if is_list)
    most = max((chunk.values for chunk, _ in found), default=0)
    if in_lists + sum(chunk.unpacked for chunk, _ in found) > room.size or most > room.size:
        return None
    row = sum(chunk.largest for chunk, is_list in found if not is_list)
    return max(1, min(_MOST_ROWS, room.size // max(row, 1)))


def _members(content: Content, room: Room) -> Iterator[Unpacked]:
    """Yield the files of a zip archive, as NumPy and others write them."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for member in archive.infolist():
            # Encrypted, or too large.
            if member.flag_bits & 1 or member.file_size > room.size:
                yield _CLOSED
            elif not member.is_dir():
                yield from parts(found := archive.read(member), room.within(found))


def _unzipped(content: Content, room: Room) -> Iterator[Unpacked]:
    """Yield what gzip has compressed, or its beginning if that is too large."""
    with gzip.open(io.BytesIO(content)) as stream:
        found = stream.read(room.size)
        if stream.read(1):
            yield _CLOSED
        yield from parts(found, room.within(found))


def _values(content: Content, _: Room) -> Iterator[Unpacked]:
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


def _pixels(content: Content, _: Room) -> Iterator[Unpacked]:
    """Yield an image's pixels, of one format or another."""
    encoded = bytes(content)
    read_header(io.BytesIO(encoded), follow=False)
    yield Unpacked(open_image(encoded).tobytes(), apart=False)


_KINDS: tuple[tuple[bytes | tuple[bytes, ...], Callable[[Content, Room], Iterator[Unpacked]]], ...] = (
    (b"PAR1", _columns),
    (b"PK\x03\x04", _members),
    (b"\x1f\x8b", _unzipped),
    (_DATABASE, _values),
    (_PICTURES, _pixels),
)
