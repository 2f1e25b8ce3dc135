"""Images whose data ends early although the file is whole: decoders fill up what is missing in silence."""

import io
import zlib

from PIL import Image

from unlearn_core.errors import UsageError

_SIGNATURE = 8
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
"""Adam7: the first column and row of each pass, and the steps to the next (PNG specification, 8.2)."""

_PAST_THE_ROWS = 2**20
"""What a PNG may inflate to after its last row; more is not inflated to be counted."""

_END_OF_JPEG = b"\xff\xd9"
_OTHER_DATA = bytes(range(1, 128)) * 8


def refuse_early_end(encoded: bytes, image: Image.Image) -> None:
    """Refuse a PNG or JPEG whose data ends before its last row; Pillow refuses the other formats' itself.

    Args:
        encoded: The file.
        image: What Pillow decoded it to.

    Raises:
        UsageError: If a part of the image was filled up.
    """
    checks = {"PNG": _is_short_png, "JPEG": _is_short_jpeg, "MPO": _is_short_jpeg}
    check = checks.get(image.format or "")
    try:
        short = check is not None and check(encoded)
    except (OSError, zlib.error):
        short = True
    if short:
        raise UsageError("damaged: the data ends early")


def _is_short_png(encoded: bytes) -> bool:
    """Tell whether the rows need more bytes than the file holds."""
    inflate, found, at, header = zlib.decompressobj(), 0, _SIGNATURE, b""
    while at + 8 <= len(encoded):
        length, kind = int.from_bytes(encoded[at : at + 4]), encoded[at + 4 : at + 8]
        data = encoded[at + 8 : at + 8 + length]
        if kind == b"IHDR":
            header = data
        elif kind == b"IDAT":
            most = _expected(header) + _PAST_THE_ROWS
            found += _inflated(inflate, data, most - found)
            if found >= most:
                break
        at += length + 12
    return found < _expected(header)


def _inflated(inflate: "zlib._Decompress", data: bytes, most: int) -> int:
    """Count what data inflates to, a mebibyte at a time, until there is enough."""
    count = 0
    while data and count < most:
        count += len(inflate.decompress(data, 2**20))
        data = inflate.unconsumed_tail
    return count


def _expected(header: bytes) -> int:
    """Return how many bytes the rows of a PNG have, each with one for its filter."""
    width, height = int.from_bytes(header[:4]), int.from_bytes(header[4:8])
    bits, kind, interlaced = header[8], header[9], header[12]
    passes = _PASSES if interlaced else ((0, 0, 1, 1),)
    total = 0
    for x, y, across, down in passes:
        columns, rows = max(0, -(-(width - x) // across)), max(0, -(-(height - y) // down))
        total += rows * (1 + (columns * bits * _CHANNELS[kind] + 7) // 8) if columns else 0
    return total


def _is_short_jpeg(encoded: bytes) -> bool:
    """Tell whether other data before the end changes the image: a whole image has no use for it."""
    end = encoded.rfind(_END_OF_JPEG)
    return _draft(encoded) != _draft(encoded[:end] + _OTHER_DATA + encoded[end:])


def _draft(encoded: bytes) -> bytes:
    """Decode a JPEG at an eighth of its size."""
    image = Image.open(io.BytesIO(encoded), formats=["JPEG"])
    image.draft(None, (1, 1))
    return image.tobytes()
