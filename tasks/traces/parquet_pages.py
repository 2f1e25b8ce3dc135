"""How much a Parquet file really unpacks to: what its pages say, since its footer can say anything.

A page cannot unpack to more than its own header says, since the decoder refuses that. The headers are in
Thrift's compact protocol (parquet-format, ``PageHeader``) and are read without unpacking anything.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow.parquet as pq

_BOUNDED = {0, 2, 3, 4, 5, 6, 8, 9}
"""Encodings of which no value is larger than its page, or its dictionary; 7 repeats the value before."""
_DICTIONARY_PAGE = 2
_HEADERS = (5, 7, 8)
"""Fields of a page header with what is in it: data, a dictionary, data of the second version."""
_DEEPEST, _MOST_PAGES = 16, 500_000
_FIXED = 16
"""Bytes of a number, with what says whether it is there and where it lies."""


class LyingError(ValueError):
    """A file contradicts itself, or is of a kind whose size cannot be told."""


@dataclass(frozen=True)
class Chunk:
    """What the pages of a column say of themselves.

    Attributes:
        unpacked: Bytes of all pages, unpacked.
        values: How many values they hold; as many as rows, except in lists.
        largest: Bytes that a value takes at most that is held once and stands in many rows.
    """

    unpacked: int
    values: int
    largest: int


def _chunk(content: memoryview, column: pq.ColumnChunkMetaData, length: int) -> Chunk:
    """Read the page headers of a column.

    Args:
        content: The whole file.
        column: What its footer says of the column in one group of rows.
        length: Bytes of a value of fixed length.

    Returns:
        What they say.

    Raises:
        LyingError: If they cannot be read, or do not say how large a value may be.
    """
    unpacked = values = 0
    largest = length + _FIXED
    for number, (header, held) in enumerate(_pages(content, column)):
        if held.get(4 if 8 in header else 2) not in _BOUNDED or number == _MOST_PAGES:
            raise LyingError(
                "a page's encoding does not say how large a value is, or there are too many pages"
            )
        unpacked += _size(header.get(2))
        if header.get(1) != _DICTIONARY_PAGE:
            values += _size(held.get(1))
        elif column.physical_type == "BYTE_ARRAY":
            largest = max(largest, _size(header.get(2)))
    return Chunk(unpacked, values, largest)


def _pages(
    content: memoryview, column: pq.ColumnChunkMetaData
) -> Iterator[tuple[dict[int, Any], dict[int, Any]]]:
    """Yield the header of each page, and what it says of the values in it."""
    first, dictionary = column.data_page_offset, column.dictionary_page_offset
    at = first if dictionary is None else min(first, dictionary)
    end = at + column.total_compressed_size
    if not 0 < at <= end <= len(content):
        raise LyingError("its pages lie outside of the file")
    while at < end:
        header, at = _struct(content, at, 0)
        held = next((header[field] for field in _HEADERS if field in header), None)
        if not isinstance(held, dict):
            raise LyingError("a page does not say what is in it")
        yield header, held
        at += _size(header.get(3))
    if at > end:
        raise LyingError("a page is larger than its column")


def _size(value: object) -> int:
    """Return a number of a header that is one of bytes or of values."""
    if not isinstance(value, int) or value < 0:
        raise LyingError("a page does not say how large it is")
    return value


def _struct(content: memoryview, at: int, depth: int) -> tuple[dict[int, Any], int]:
    """Read a struct; return its fields by number, and where it ends."""
    if depth > _DEEPEST:
        raise LyingError("its pages are nested without end")
    fields, field = dict[int, Any](), 0
    try:
        while head := content[at]:
            at += 1
            if delta := head >> 4:
                field += delta
            else:
                field, at = _integer(content, at)
            fields[field], at = _value(content, at, head & 15, depth)
    except IndexError:
        raise LyingError("a page's header is cut off") from None
    return fields, at + 1


def _value(content: memoryview, at: int, kind: int, depth: int) -> tuple[Any, int]:
    """Read a value of one of Thrift's kinds; what nothing here asks for is None."""
    if kind in (1, 2):
        return kind == 1, at
    if kind in (4, 5, 6):
        return _integer(content, at)
    if kind == 12:
        return _struct(content, at, depth + 1)
    if kind == 3:
        return None, at + 1
    if kind == 7:
        return None, at + 8
    if kind == 8:
        size, at = _natural(content, at)
        return None, at + size
    raise LyingError("a page's header is of another format")


def _natural(content: memoryview, at: int) -> tuple[int, int]:
    """Read a number of seven bits a byte."""
    number = 0
    for shift in range(0, 70, 7):
        byte = content[at + shift // 7]
        number |= (byte & 127) << shift
        if byte < 128:
            return number, at + shift // 7 + 1
    raise LyingError("a number in a page's header does not end")


def _integer(content: memoryview, at: int) -> tuple[int, int]:
    """Read a number with its sign in the last bit."""
    number, at = _natural(content, at)
    return (number >> 1) ^ -(number & 1), at


def chunks(content: memoryview, file: pq.ParquetFile, group: int) -> Iterator[tuple[Chunk, bool]]:
    """Yield each column of a group of rows, and whether a row of it may hold many values.

    Args:
        content: The whole file.
        file: The same, opened.
        group: The number of the group.

    Yields:
        The chunks.
    """
    rows = file.metadata.row_group(group)
    for index in range(rows.num_columns):
        column = file.schema.column(index)
        yield _chunk(content, rows.column(index), column.length or 0), column.max_repetition_level > 0
