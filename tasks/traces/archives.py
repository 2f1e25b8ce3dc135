"""What archives and compressed streams hold, and by which bytes they are known."""

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from typing import Protocol

import pyarrow as pa

from tasks.traces.stored import Content
from tasks.traces.unpacked import CLOSED, DAMAGED, Room, Unpack, Unpacked

_ZIP, _END_OF_ZIP = b"PK\x03\x04", b"PK\x05\x06"
_LAST = 2**16 + 21
"""A zip archive's end record is among its last bytes: 22, and a comment."""

_TAR, _TAR_AT = b"ustar", 257


class _Stream(Protocol):
    def read(self, size: int, /) -> bytes: ...


def unpackers(content: Content) -> Iterator[Unpack]:
    """Yield what unpacks a content, if it is an archive or compressed."""
    start = bytes(content[: _TAR_AT + len(_TAR)])
    yield from (unpack for magic, unpack in _KINDS if start.startswith(magic))
    if start.endswith(_TAR) and len(start) == _TAR_AT + len(_TAR):
        yield _in_tar
    # A program may stand before a zip archive, which is known by its end.
    if not start.startswith(_ZIP) and _END_OF_ZIP in bytes(content[-_LAST:]):
        yield _in_zip


def _in_zip(content: Content, room: Room) -> Iterator[Unpacked | Content]:
    """Yield the files of a zip archive, as NumPy and others write them, and what stands before it."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = archive.infolist()
        if before := min((member.header_offset for member in members), default=0):
            yield content[:before]
        for member in members:
            if not member.is_dir():
                yield _member(archive, member, room)


def _member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, room: Room) -> Unpacked | Content:
    """Return a file of a zip archive; what cannot be read does not hide the others."""
    encrypted = member.flag_bits & 1
    if encrypted or member.file_size > room.size:
        return CLOSED
    try:
        return archive.read(member)
    except DAMAGED:
        return CLOSED


def _in_tar(content: Content, _: Room) -> Iterator[Unpacked | Content]:
    """Yield the files of a tar archive, which lie in it as they are."""
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:") as archive:
        for member in archive:
            if member.issparse():
                yield CLOSED
            elif member.isfile():
                yield content[member.offset_data : member.offset_data + member.size]
        # Nothing but zeros ends an archive: anything else is a damaged header, or another archive.
        if bytes(content[archive.offset :]).strip(b"\0"):
            yield CLOSED


def _stream(opened: Callable[[io.BytesIO], _Stream]) -> Unpack:
    """Return what yields a compressed stream, or its beginning if that is too large."""

    def unpack(content: Content, room: Room) -> Iterator[Unpacked | Content]:
        stream = opened(io.BytesIO(content))
        found = stream.read(room.size)
        if stream.read(1):
            yield CLOSED
        yield found

    return unpack


def _inflated(content: Content, room: Room) -> Iterator[Unpacked | Content]:
    """Yield a stream of zlib's, such as git's loose objects, or its beginning if it is too large or cut."""
    stream = zlib.decompressobj()
    found = stream.decompress(content, room.size + 1)
    if len(found) > room.size or not stream.eof:
        yield CLOSED
    yield found[: room.size]


def _closed(_content: Content, _room: Room) -> Iterator[Unpacked | Content]:
    """Yield nothing of what cannot be unpacked here."""
    yield CLOSED


_KINDS: tuple[tuple[bytes | tuple[bytes, ...], Unpack], ...] = (
    (_ZIP, _in_zip),
    (b"\x1f\x8b", _stream(gzip.open)),
    (b"BZh", _stream(bz2.open)),
    (b"\xfd7zXZ\0", _stream(lzma.open)),
    (b"\x28\xb5\x2f\xfd", _stream(lambda raw: pa.CompressedInputStream(raw, "zstd"))),
    (b"\x04\x22\x4d\x18", _stream(lambda raw: pa.CompressedInputStream(raw, "lz4"))),
    ((b"x\x01", b"x\x5e", b"x\x9c", b"x\xda"), _inflated),
    # 7-Zip, RAR, lzip, compress, LZ4 as it was, a pack of git's, a database's log of changes, Arrow's files.
    (
        (
            b"7z\xbc\xaf\x27\x1c",
            b"Rar!\x1a\x07",
            b"LZIP",
            b"\x1f\x9d",
            b"\x02\x21\x4c\x18",
            b"PACK\0\0\0",
            b"\x37\x7f\x06\x82",
            b"\x37\x7f\x06\x83",
            b"ARROW1",
        ),
        _closed,
    ),
)
