"""The picture of one row: as a file, or as coloured blocks in a terminal."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tasks.checkout.checkout import Checkout
from tasks.data.datasets import each_image, read_manifest
from unlearn_core.errors import SetupError

if TYPE_CHECKING:
    from rich.text import Text

_WIDEST = 64
"""The most blocks in a line."""


def picture_of(checkout: Checkout, sample: str) -> bytes:
    """Return the encoded image of a row of ``data/dataset``.

    Args:
        checkout: The checkout.
        sample: The row's id.

    Returns:
        The file, as it was imported.

    Raises:
        SetupError: If there is no such row there.
    """
    if not checkout.dataset.is_dir():
        raise SetupError("there is no data/dataset yet; `lethe train` imports the images")
    rows = read_manifest(checkout.dataset).sample_ids == sample
    if not rows.any():
        raise SetupError("data/dataset holds other rows than params.yaml names; run `dvc repro dataset`")
    return next(each_image(checkout.dataset, rows))


def save_picture(path: Path, encoded: bytes) -> None:
    """Write an image into a new file.

    Args:
        path: The file.
        encoded: Its content.

    Raises:
        SetupError: If there is such a file already.
    """
    try:
        with path.open("xb") as file:
            file.write(encoded)
    except FileExistsError:
        raise SetupError(f"{path} exists; name a file that does not") from None


def in_blocks(encoded: bytes) -> "Text":
    """Return an image as text: half a block for each pixel, two rows of pixels in a line."""
    from rich.text import Text

    from unlearn_core.image_formats import open_format

    with open_format(encoded) as image:
        scale = min(1.0, _WIDEST / image.width)
        size = (max(1, round(image.width * scale)), max(2, 2 * round(image.height * scale / 2)))
        pixels = np.asarray(image.convert("RGB").resize(size))
    text = Text()
    for upper, lower in zip(pixels[::2].tolist(), pixels[1::2].tolist(), strict=True):
        for over, under in zip(upper, lower, strict=True):
            text.append("\u2580", style=f"{_colour(over)} on {_colour(under)}")
        text.append("\n")
    return text


def _colour(pixel: list[int]) -> str:
    return f"rgb({','.join(map(str, pixel))})"
