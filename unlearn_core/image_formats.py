"""The image formats that are read, and no other: Pillow has decoders that start programs."""

import io
from typing import BinaryIO

from PIL import Image

from unlearn_core.errors import UsageError

FORMATS = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")
"""Pillow's names of the formats; PPM is its name for PGM too."""

_LONGEST_MARK = 16
"""Bytes by which Pillow tells one format from another."""


def open_format(encoded: bytes | BinaryIO) -> Image.Image:
    """Open an image in one of ``FORMATS``, so that no decoder of another is started.

    Args:
        encoded: The file, or its bytes.

    Returns:
        The image, not decoded yet.

    Raises:
        UsageError: If it is no such image; the message is a few words.
    """
    stream = io.BytesIO(encoded) if isinstance(encoded, bytes) else encoded
    start = stream.read(_LONGEST_MARK)
    stream.seek(0)
    try:
        return Image.open(stream, formats=FORMATS)
    except Image.UnidentifiedImageError as error:
        raise UsageError(_unknown(start)) from error


def _unknown(start: bytes) -> str:
    """Say what a file is that is no image in one of the formats."""
    if not start:
        return "an empty file"
    Image.init()
    # A look at the first bytes only: no decoder of another format is ever started.
    for name, (_, accepts) in Image.OPEN.items():
        if name not in FORMATS and len(start) == _LONGEST_MARK and accepts and accepts(start) is True:
            return f"an image of the format {name}, which is not read"
    return "not an image"
