"""What an image's header says.

All headers are read before any image is decoded, so that a cheap check comes before the work.
"""

import io
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, BinaryIO

from PIL import Image

from tasks.data.incoming import Incoming
from tasks.data.upright import is_sideways, turn_by_tag
from unlearn_core.errors import ConfigurationError, UsageError
from unlearn_core.image_formats import open_format
from unlearn_core.progress import Step
from unlearn_core.records.params import ImageSource

MOST_PIXELS = 64_000_000
_MOST_BYTES = 4 * MOST_PIXELS
_BITS_PER_SAMPLE = 258
_MOST_COUNTED = {"GIF": 2, "TIFF": 100}
"""Pictures that are counted where each has to be found behind the one before; other headers say how many."""


def read_headers(
    incoming: Incoming, rows: Sequence[int], params: ImageSource, on_step: Callable[[Step], None]
) -> tuple[dict[int, str], dict[int, str]]:
    """Read the headers of images.

    Args:
        incoming: All rows.
        rows: Whose headers to read.
        params: How images are read.
        on_step: Called after each row.

    Returns:
        Why images cannot be read, and how large the others are, as ``HEIGHTxWIDTH``; both by row.
    """
    refused: dict[int, str] = {}
    sizes: dict[int, str] = {}
    follow = params.orientation == "follow"
    for done, row in enumerate(rows, 1):
        try:
            with _opened(incoming, row) as stream:
                height, width = read_header(stream, follow=follow)
            sizes[row] = f"{height}x{width}"
        except (OSError, UsageError) as error:
            refused[row] = reason_for(error)
        on_step(Step("headers", done, len(rows)))
    return refused, sizes


def _opened(incoming: Incoming, row: int) -> BinaryIO:
    if (length := int(incoming.sizes[row])) > _MOST_BYTES:
        raise UsageError(f"a file of {length >> 20} MiB; expected at most {_MOST_BYTES >> 20}")
    return io.BytesIO(incoming.read(row)) if incoming.open is None else incoming.open(row)


def reason_for(error: OSError | UsageError) -> str:
    """Return why an image cannot be read, in a few words without its name."""
    if isinstance(error, UsageError):
        return str(error)
    return error.strerror or type(error).__name__


def read_header(stream: BinaryIO, *, follow: bool = False) -> tuple[int, int]:
    """Read an image's header, and decode nothing.

    Args:
        stream: The image's file, at its start.
        follow: Whether the image is turned as its orientation tag says.

    Returns:
        Its height and width.

    Raises:
        UsageError: If it is no image in a format that is read, or one that is never decoded: too large,
            deeper than eight bits a channel, or of several pictures.
    """
    try:
        image = open_format(stream)
        if image.width * image.height > MOST_PIXELS:
            raise UsageError(_too_large(f"{image.width} x {image.height} pixels"))
        bits, pictures = _bits(image), _pictures(image)
        height, width = image.height, image.width
        sideways = follow and is_sideways(turn_by_tag(image))
    except UsageError:
        raise
    except Image.DecompressionBombError as error:
        raise UsageError(_too_large("too many pixels")) from error
    except Exception as error:  # each decoder fails on a damaged file in its own way
        raise UsageError(f"damaged: {error}") from error
    if bits > 8:
        raise UsageError(f"{bits} bits a channel; expected at most 8")
    if pictures > 1:
        count = f"{pictures}{' or more' * (pictures == _MOST_COUNTED.get(str(image.format)))}"
        raise UsageError(f"{count} pictures in one file (an animation, or pages); expected one")
    return (width, height) if sideways else (height, width)


def require_one_size(sizes: Mapping[str, int], params: ImageSource) -> None:
    """Refuse images of several sizes where the settings name none.

    Args:
        sizes: How many images there are of each size.
        params: How images are read.

    Raises:
        ConfigurationError: If the sizes differ.
    """
    if params.image_size is None and len(sizes) > 1:
        counts = ", ".join(f"{count} of {size}" for size, count in Counter(sizes).most_common(5))
        raise ConfigurationError(f"the images differ in size ({counts}); set dataset.image_size")


def _too_large(what: str) -> str:
    return f"{what}; expected at most {MOST_PIXELS // 10**6} million"


def _bits(image: Any) -> int:
    """Return the bits of a channel; Pillow's mode does not tell, since it cuts some down to eight."""
    if image.format == "TIFF":
        return max(image.tag_v2.get(_BITS_PER_SAMPLE, (1,)))
    how = image.tile[0].args if image.tile else None
    if image.format == "PNG" and "16" in str(how):
        return 16
    if image.format == "PPM" and isinstance(how, tuple) and how[1] > 255:
        return 16
    return {"I": 16, "F": 32}.get(image.mode[0], 8)


def _pictures(image: Any) -> int:
    """Count the pictures; what a camera keeps behind the one in a JPEG does not count."""
    if image.format == "TIFF":
        return _pages(image)
    if image.format == "GIF":
        return 2 if image.is_animated else 1  # its n_frames walks all of them
    return 1 if image.format in {"JPEG", "MPO"} else getattr(image, "n_frames", 1)


def _pages(image: Any) -> int:
    """Count the pages of a TIFF, up to a limit."""
    count = 1
    with suppress(EOFError):
        while count < _MOST_COUNTED["TIFF"]:
            image.seek(count)
            count += 1
    image.seek(0)
    return count
