"""What archives and compressed streams hold is found, and what cannot be unpacked is never called searched.

Each of these must turn red: a reader's exception that ends the search; a member that hides the others; an
archive that is known only by its first bytes.
"""

import base64
import bz2
import gzip
import io
import lzma
import sqlite3
import struct
import tarfile
import zipfile
import zlib

import numpy as np
import pyarrow as pa
import pytest

from tasks.traces.unpacking import Room, parts

# Digits alone, which every compressor shortens: what is packed does not hold it as it is.
SECRET = np.random.default_rng(3).integers(0, 256, 4500, np.uint8).tobytes().hex().encode() + b"digit-0003"


def zipped(*members, method=zipfile.ZIP_DEFLATED):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for number, member in enumerate(members):
            archive.writestr(f"member {number}", member)
    return stream.getvalue()


def changed(archive, **fields):
    """Return a zip archive whose first member says something else, in its header and in the directory."""
    places = {"version": (4, 6), "flags": (6, 8), "method": (8, 10)}
    archive, directory = bytearray(archive), archive.index(b"PK\1\2")
    for name, value in fields.items():
        for place in (places[name][0], directory + places[name][1]):
            archive[place : place + 2] = struct.pack("<H", value)
    return bytes(archive)


def in_tar(*members):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for number, member in enumerate(members):
            entry = tarfile.TarInfo(f"member {number}")
            entry.size = len(member)
            archive.addfile(entry, io.BytesIO(member))
    return stream.getvalue()


def database(tmp_path, mode):
    """Return a database of which one value lies on many pages."""
    made = sqlite3.connect(tmp_path / "made.db")
    made.execute(f"PRAGMA journal_mode={mode}")
    made.execute("CREATE TABLE things (value BLOB)")
    made.execute("INSERT INTO things VALUES (?)", (SECRET,))
    made.commit()
    made.close()
    return (tmp_path / "made.db").read_bytes()


def found_in(content, room=None):
    """Return whether the secret is found, and whether all was looked into."""
    found = [*parts(content, room)]
    return any(SECRET in bytes(part.content) for part in found), all(part.whole for part in found)


UNPACKED = {
    "zlib": zlib.compress(b"x" * 99 + SECRET),
    "zlib, fast": zlib.compress(b"x" * 99 + SECRET, 1),
    "one of git's loose objects": zlib.compress(b"blob 9010\0" + SECRET, 0),
    "bzip2": bz2.compress(SECRET),
    "xz": lzma.compress(SECRET),
    "Zstandard": pa.compress(bytes(9) + SECRET, codec="zstd", asbytes=True),
    "gzip in tar": in_tar(b"other", gzip.compress(SECRET)),
    "bzip2 in tar in gzip": gzip.compress(in_tar(bz2.compress(SECRET))),
    "a zip archive behind a program": b"#!/usr/bin/env python3\n" + zipped(gzip.compress(SECRET)),
    "a zip archive behind another": zipped(gzip.compress(SECRET)) + zipped(b"other"),
    "a zip archive of bzip2": zipped(SECRET, method=zipfile.ZIP_BZIP2),
}


@pytest.mark.parametrize("content", UNPACKED.values(), ids=UNPACKED)
def test_what_is_packed_is_found(content):
    assert found_in(content) == (True, True)


@pytest.mark.parametrize("mode", ["WAL", "DELETE"])
def test_the_values_of_a_database_are_found_whatever_its_journal_is(tmp_path, mode):
    assert found_in(database(tmp_path, mode)) == (True, True)


CLOSED = {
    "a zip archive with an unknown compression": changed(zipped(SECRET), method=9),
    "an encrypted zip archive": changed(zipped(SECRET), flags=1),
    "a zip archive of a later version": changed(zipped(SECRET), version=99),
    "a cut stream of zlib's": zlib.compress(SECRET)[:-500],
    "a damaged stream of zlib's": zlib.compress(SECRET)[:99] + bytes(99),
    "a cut stream of bzip2": bz2.compress(SECRET)[:-500],
    "a cut stream of xz": lzma.compress(SECRET)[:-500],
    "a damaged stream of Zstandard": b"\x28\xb5\x2f\xfd" + bytes(99),
    "a damaged stream of LZ4": b"\x04\x22\x4d\x18" + bytes(99),
    "7-Zip": b"7z\xbc\xaf\x27\x1c" + bytes(99),
    "RAR": b"Rar!\x1a\x07\x00" + bytes(99),
    "a pack of git's": b"PACK\0\0\0\2" + bytes(99),
    "a database's log": b"\x37\x7f\x06\x82" + bytes(99),
    "two tar archives in a row": in_tar(b"other") + in_tar(gzip.compress(SECRET)),
    "the end of a zip archive alone": b"anything" + zipped(SECRET)[-22:],
}


@pytest.mark.parametrize("content", CLOSED.values(), ids=CLOSED)
def test_what_cannot_be_unpacked_is_not_called_searched(content):
    assert found_in(content) == (False, False)


def test_a_member_that_cannot_be_read_does_not_hide_the_others():
    assert found_in(changed(zipped(b"other", gzip.compress(SECRET)), method=9)) == (True, False)


PACKERS = {
    "zlib": zlib.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "Zstandard": lambda content: pa.compress(content, codec="zstd", asbytes=True),
    "zip": zipped,
}


@pytest.mark.parametrize("pack", PACKERS.values(), ids=PACKERS)
def test_no_more_is_unpacked_than_there_is_room_for(pack):
    content = pack(bytes(2**20))
    found = [*parts(content, Room(2**16, 8))]
    assert not all(part.whole for part in found)
    assert all(len(part.content) <= max(2**16, len(content)) for part in found)


@pytest.mark.parametrize("pack", PACKERS.values(), ids=PACKERS)
def test_what_is_packed_too_deep_is_named(pack):
    assert found_in(pack(pack(SECRET)), Room(2**20, 2)) == (True, True)
    assert found_in(pack(pack(SECRET)), Room(2**20, 1)) == (False, False)


def test_a_text_of_many_lines_in_base64_is_searched_as_one_line():
    text = base64.b64encode(SECRET)
    lines = {
        "mail": base64.encodebytes(SECRET),
        "mail, after a header": b"Content-Type: image/png\r\n\r\n"
        + base64.encodebytes(SECRET).replace(b"\n", b"\r\n"),
        "YAML": b"image: |\n" + b"".join(b"    %b\n" % line for line in base64.encodebytes(SECRET).split()),
        "JSON": b'{"image": "' + base64.encodebytes(SECRET).replace(b"\n", b"\\n") + b'"}',
        "JSON, with escaped slashes": b"[\n" + base64.encodebytes(SECRET).replace(b"/", b"\\/") + b"]",
        "the alphabet of addresses": base64.encodebytes(SECRET).translate(bytes.maketrans(b"+/", b"-_")),
    }
    for name, content in lines.items():
        assert any(text in bytes(part.content) for part in parts(content)), name
