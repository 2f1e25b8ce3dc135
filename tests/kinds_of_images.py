"""A folder with an image of every kind that an import meets, and what is to become of each."""

import io
import os
import struct
import zlib
from pathlib import Path

import numpy as np
from pictures import encoded, picture
from PIL import Image

READ = ""
"""The answer for an image that is imported."""

LINK, SHORT, DEEP = "a link that leads out of the folder", "damaged: the data ends early", "16 bits a channel"
CUT, FRAMES = "damaged: ", "pictures in one file (an animation, or pages); expected one"


def colour(number: int) -> Image.Image:
    """Return an image in colour, 24 by 16."""
    return picture(0, number, size=(16, 24), grey=False)


def png(
    width: int, height: int, rows: bytes, *, bits: int = 8, kind: int = 2, interlaced: bool = False
) -> bytes:
    """Return a PNG of exactly these bytes of rows, whether or not they fill it."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", width, height, bits, kind, 0, 0, interlaced)
    body = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def deep_png(kind: int, channels: int) -> bytes:
    """Return a PNG of 16 bits a channel."""
    values = np.random.default_rng(channels).integers(0, 2**16, (8, 8 * channels)).astype(">u2")
    return png(8, 8, b"".join(b"\0" + row.tobytes() for row in values), bits=16, kind=kind)


def deep_tiff(channels: int) -> bytes:
    """Return a TIFF of 16 bits a channel."""
    image, stream = Image.new("RGB" if channels == 3 else "RGBA", (8, 8)), io.BytesIO()
    image.save(stream, "TIFF")
    raw = bytearray(stream.getvalue() + bytes(8 * 8 * channels))
    # The bits of each channel stand in a row of eights, which Pillow writes once.
    at = raw.index(struct.pack("<H", 8) * channels)
    raw[at : at + 2 * channels] = struct.pack("<H", 16) * channels
    return bytes(raw)


def frames(kind: str) -> bytes:
    """Return three pictures in one file."""
    stream = io.BytesIO()
    colour(1).save(stream, kind, save_all=True, append_images=[colour(2), colour(3)])
    return stream.getvalue()


def with_orientation(number: int, kind: str, tag: int) -> bytes:
    """Return an image with an orientation tag."""
    exif, stream = Image.Exif(), io.BytesIO()
    exif[0x0112] = tag
    colour(number).save(stream, kind, exif=exif)
    return stream.getvalue()


def every_kind() -> dict[str, tuple[bytes, str]]:
    """Return files of all kinds by name, and how the reason begins or ends for which they are listed."""
    jpeg = encoded(colour(10).resize((240, 160)), "JPEG")
    palette = colour(11).quantize(8)
    palette.info["transparency"] = bytes([0, 128, 255])
    grey_rows = b"\0" * 9
    return {
        "bmp.bmp": (encoded(colour(20), "BMP"), READ),
        "gif.gif": (encoded(colour(21), "GIF"), READ),
        "jpeg.jpg": (jpeg, READ),
        "grey.pgm": (encoded(picture(0, 22), "PPM"), READ),
        "tiff.tif": (encoded(colour(23), "TIFF"), READ),
        "webp.webp": (encoded(colour(24), "WEBP"), READ),
        "cmyk.jpg": (encoded(colour(25).convert("CMYK"), "JPEG"), READ),
        "palette.png": (encoded(palette), READ),
        "alpha.png": (encoded(colour(26).convert("RGBA")), READ),
        "one-bit.png": (encoded(picture(0, 27).convert("1")), READ),
        "turned.jpg": (with_orientation(28, "JPEG", 6), READ),
        "turned.png": (with_orientation(29, "PNG", 8), READ),
        "two-in-one.jpg": (frames("MPO"), READ),
        "empty.png": (b"", "an empty file"),
        "text.jpg": (b"no image at all, only some text", "not an image"),
        "postscript.png": (
            b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
            "of the format EPS, which is not read",
        ),
        "jpeg2000.jpg": (encoded(colour(30), "JPEG2000"), "of the format JPEG2000, which is not read"),
        "icon.png": (encoded(colour(31), "ICO"), "of the format ICO, which is not read"),
        "large.png": (png(30_000, 30_000, grey_rows, kind=0), "expected at most 64 million"),
        "wide.png": (
            png(12_000, 12_000, grey_rows, kind=0),
            "12000 x 12000 pixels; expected at most 64 million",
        ),
        "deep-grey.png": (deep_png(0, 1), DEEP),
        "deep-colour.png": (deep_png(2, 3), DEEP),
        "deep-grey-alpha.png": (deep_png(4, 2), DEEP),
        "deep-alpha.png": (deep_png(6, 4), DEEP),
        "deep.ppm": (b"P6 8 8 65535\n" + bytes(2 * 3 * 64), DEEP),
        "deep.pgm": (b"P5 8 8 65535\n" + bytes(2 * 64), DEEP),
        "deep-colour.tif": (deep_tiff(3), DEEP),
        "deep-alpha.tif": (deep_tiff(4), DEEP),
        "float.tif": (encoded(Image.new("F", (8, 8), 0.5), "TIFF"), "32 bits a channel"),
        "cut.jpg": (jpeg[: len(jpeg) // 2], CUT),
        "cut.png": (encoded(colour(32))[:-400], CUT),
        "cut.gif": (encoded(colour(33), "GIF")[:-200], CUT),
        "cut.webp": (encoded(colour(34), "WEBP")[:-20], CUT),
        "cut.tif": (encoded(colour(35), "TIFF")[:-200], CUT),
        "short.png": (png(8, 8, bytes(5 * 25)), SHORT),
        "short.jpg": (jpeg[: len(jpeg) // 2] + b"\xff\xd9", SHORT),
        "animated.gif": (frames("GIF"), FRAMES),
        "animated.png": (frames("PNG"), FRAMES),
        "animated.webp": (frames("WEBP"), FRAMES),
        "pages.tif": (frames("TIFF"), FRAMES),
    }


def folder_of_every_kind(root: Path) -> dict[str, str]:
    """Write them as one class, with links, and return the answers."""
    answers = {}
    for name, (raw, answer) in every_kind().items():
        path = root / "train/mixed" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(raw)
        answers[f"train/mixed/{name}"] = answer
    (root.parent / "elsewhere.png").write_bytes(encoded(colour(40)))
    os.symlink(root.parent / "elsewhere.png", root / "train/mixed/link.png")
    os.symlink("nowhere.png", root / "train/mixed/dangling.png")
    os.symlink("bmp.bmp", root / "train/mixed/inside.bmp")
    return answers | {
        "train/mixed/link.png": LINK,
        "train/mixed/dangling.png": "No such file or directory",
        "train/mixed/inside.bmp": READ,
    }
