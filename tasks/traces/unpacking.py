"""What an object holds in a form that a search for bytes does not see: what is compressed or encoded."""

import io
import sqlite3
from collections.abc import Iterator
from itertools import chain

import pyarrow as pa
import pyarrow.parquet as pq

from tasks.data.headers import read_header
from tasks.traces.archives import unpackers
from tasks.traces.line_breaks import without_line_breaks
from tasks.traces.parquet_pages import LyingError, chunks
from tasks.traces.stored import Content
from tasks.traces.unpacked import CLOSED, DAMAGED, Room, Unpack, Unpacked, value_as_bytes
from unlearn_core.data import open_image

MOST_BYTES, MOST_DEEP = 2**28, 8
"""What is unpacked of one object at a time, and how often something packed may hold something packed."""

_MOST_ROWS = 65_536
_PICTURES = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"RIFF", b"BM", b"II*\x00", b"MM\x00*", b"P5", b"P6")
_DATABASE = b"SQLite format 3\x00"


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
    if in_lines := without_line_breaks(content):
        yield Unpacked(in_lines)
    for unpack in chain((unpack for magic, unpack in _KINDS if start.startswith(magic)), unpackers(content)):
        yield from _unpacked(unpack, content, room)


def _unpacked(unpack: Unpack, content: Content, room: Room) -> Iterator[Unpacked]:
    """Yield what lies in a content, and what lies in that."""
    if not room.depth:
        yield CLOSED
        return
    try:
        for found in unpack(content, room):
            yield from (found,) if isinstance(found, Unpacked) else parts(found, room.within(found))
    except DAMAGED:
        # An image that is not read is not hidden; anything else may be packed in what is damaged.
        if unpack is not _pixels:
            yield CLOSED


def _columns(content: Content, room: Room) -> Iterator[Unpacked]:
    """Yield the columns of a Parquet file: text as values, all else as it lies in memory."""
    file = pq.ParquetFile(pa.BufferReader(pa.py_buffer(content)), pre_buffer=False)
    for group in range(file.num_row_groups):
        if (rows := _rows_at_once(content, file, group, room)) is None:
            yield CLOSED
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


def _values(content: Content, _: Room) -> Iterator[Unpacked]:
    """Yield the values of a SQLite database, which its pages hold without anything between them."""
    with sqlite3.connect(":memory:") as database:
        database.deserialize(_without_log(content))
        tables = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        for (table,) in tables:
            rows = database.execute(f'SELECT * FROM "{table.replace(chr(34), chr(34) * 2)}"')
            yield Unpacked(b"\0".join(value_as_bytes(value) for value in chain.from_iterable(rows)))
    database.close()


def _without_log(content: Content) -> bytes:
    """Return a database that is not in WAL mode: one in memory can have no file beside it."""
    return bytes(content[:18]) + b"\x01\x01" + bytes(content[20:])


def _pixels(content: Content, _: Room) -> Iterator[Unpacked]:
    """Yield an image's pixels, of one format or another."""
    encoded = bytes(content)
    read_header(io.BytesIO(encoded), follow=False)
    yield Unpacked(open_image(encoded).tobytes(), apart=False)


_KINDS: tuple[tuple[bytes | tuple[bytes, ...], Unpack], ...] = (
    (b"PAR1", _columns),
    (_DATABASE, _values),
    (_PICTURES, _pixels),
)
