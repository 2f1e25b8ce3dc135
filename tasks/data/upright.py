"""The orientation tag of cameras: what it says, and an image turned as it says."""

import io

from PIL import Image

_TAG = 0x0112
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_KEPT_BY_PNG = {"1", "L", "P", "RGB"}


def turn_by_tag(image: Image.Image) -> Image.Transpose | None:
    """Return how an opened image's tag turns or mirrors it; the image is not decoded for that.

    Args:
        image: The image.

    Returns:
        None where there is no tag that can be read, and for a TIFF, which Pillow turns itself.
    """
    if image.format == "TIFF":
        return None
    try:
        # The class's own: PNG's would decode the image, to look for tags behind it.
        return _TURNS.get(Image.Image.getexif(image).get(_TAG, 1))
    except Exception:  # odd metadata is no reason to refuse an image
        return None


def is_sideways(turn: Image.Transpose | None) -> bool:
    """Tell whether a turn makes an image's width its height."""
    return turn in {_TURNS[tag] for tag in range(5, 9)}


def turned(image: Image.Image, turn: Image.Transpose) -> bytes:
    """Return an image turned, as PNG: the same pixels, without transparency, the tag and other metadata."""
    plain = image if image.mode in _KEPT_BY_PNG else image.convert("L" if image.mode == "LA" else "RGB")
    upright = plain.transpose(turn)
    upright.info = {}
    stream = io.BytesIO()
    upright.save(stream, format="PNG")
    return stream.getvalue()
