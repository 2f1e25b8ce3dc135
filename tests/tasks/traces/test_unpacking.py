"""What is packed is unpacked within bounds, and what is not looked into is never called searched.

Each of these must turn red: a footer that is believed; rows that are all unpacked at once; a damaged file
that is passed over in silence.
"""

import io

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tasks.traces.unpacking import Room, parts


def parquet(values, **options):
    stream = io.BytesIO()
    pq.write_table(pa.table({"a": values}), stream, **options)
    return stream.getvalue()


def number(value, length=1):
    """Return a number as Parquet's footers write it, in at least so many bytes."""
    value, written = value << 1, b""
    while value > 127 or len(written) + 1 < length:
        value, written = value >> 7, written + bytes([value & 127 | 128])
    return written + bytes([value])


def with_small_sizes(file):
    """Return a Parquet file whose footer says that it unpacks to a hundred bytes."""
    place = len(file) - 8 - int.from_bytes(file[-8:-4], "little")
    group, footer = pq.ParquetFile(io.BytesIO(file)).metadata.row_group(0), file[place:]
    for size in {group.total_byte_size, group.column(0).total_uncompressed_size}:
        found = number(size)
        assert found in footer
        footer = footer.replace(found, number(100, len(found)))
    assert pq.ParquetFile(io.BytesIO(file[:place] + footer)).metadata.row_group(0).total_byte_size == 100
    return file[:place] + footer


def repeated(length, rows):
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(rows, np.int32)), ["x" * length])


ROOM = 2**20
ONCE = {"use_dictionary": True, "dictionary_pagesize_limit": 2**22}


def test_what_many_rows_of_a_table_share_is_unpacked_a_few_rows_at_a_time():
    file = parquet(repeated(ROOM // 8, 2048), store_schema=False, **ONCE)
    assert len(file) < ROOM
    found = [*parts(file, Room(ROOM, 1))]
    assert all(part.whole and len(part.content) <= 1.1 * ROOM for part in found)
    assert sum(len(part.content) for part in found) > 2048 * ROOM // 8


@pytest.mark.parametrize(
    "wrapped",
    [
        lambda names: names,
        lambda names: pa.StructArray.from_arrays([names], ["name"]),
        lambda names: pa.ListArray.from_arrays(pa.array([0, 2]), names),
        lambda names: pa.MapArray.from_arrays(pa.array([0, 2]), pa.array(["a", "b"]), names),
    ],
    ids=["alone", "in a struct", "in a list", "in a map"],
)
def test_the_values_of_a_dictionary_are_looked_into(wrapped):
    names = pa.array(["digit-0003", "digit-0007"]).dictionary_encode()
    found = [*parts(parquet(wrapped(names), compression="zstd"))]
    assert any(b"digit-0003" in bytes(part.content) for part in found[1:])


LYING = {
    "a footer that says less than the pages": with_small_sizes(
        parquet([bytes(4 * ROOM)], compression="gzip")
    ),
    "a list of many times the same": parquet(
        pa.ListArray.from_arrays([0, 2048], repeated(ROOM // 8, 2048)), **ONCE
    ),
    "an encoding that repeats the value before": parquet(
        ["a", "ab"], use_dictionary=False, column_encoding={"a": "DELTA_BYTE_ARRAY"}
    ),
    "a damaged page": parquet(["digit-0003"] * 9, compression=None).replace(b"\x15\x04\x15", b"\x15\x05\x15"),
    "a cut page": parquet(["a" * 5000], compression=None)[:3000] + parquet(["b"])[-300:],
}


@pytest.mark.parametrize("file", LYING.values(), ids=LYING)
def test_a_table_whose_size_cannot_be_told_is_not_unpacked_and_not_called_searched(file):
    found = [*parts(file, Room(ROOM, 1))]
    assert not all(part.whole for part in found)
    assert all(len(part.content) <= len(file) for part in found)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"compression": "zstd", "data_page_version": "2.0"},
        {"use_dictionary": False, "write_page_checksum": True},
        {"row_group_size": 7, "write_page_index": True},
        {"data_page_size": 64},
    ],
)
def test_an_honest_table_is_unpacked_whole(options):
    rows = [
        {"bytes": name.encode() * 3, "path": name, "n": [1, 2]}
        for name in map("digit-{:04}".format, range(99))
    ]
    found = [*parts(parquet(rows, **options))]
    assert all(part.whole for part in found)
    held = b"".join(bytes(part.content) for part in found[1:])
    assert all(row["bytes"] in held for row in rows)


@pytest.mark.parametrize("start", [b"PK\3\4", b"\x1f\x8b", b"SQLite format 3\0"])
def test_what_is_packed_and_damaged_is_not_called_searched(start):
    assert [part.whole for part in parts(start + bytes(99))] == [True, False]
