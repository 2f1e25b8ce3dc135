"""A data set's decoded pixels, cached in a file: held in memory if they fit, else read row by row.

The file is derived personal data. It holds only the current data set, and can be rebuilt.
"""

import hashlib
import math
import tempfile
from pathlib import Path

import numpy as np
import PIL
import torch
from torch import Tensor

from tasks.checkout.checkout import Checkout, short
from tasks.checkout.files import code_digest, file_digest, write_atomically
from tasks.checkout.progress import progress
from tasks.data.datasets import each_image
from unlearn_core import data
from unlearn_core.data import open_image, pixels_of
from unlearn_core.progress import Step
from unlearn_core.records.base import canonical_json, sha256
from unlearn_core.records.data import DatasetCard
from unlearn_core.selection import Manifest


class PixelFile:
    """Rows of pixels in a file; only the rows asked for are in memory."""

    def __init__(self, path: Path, rows: int, shape: tuple[int, ...]) -> None:
        """Name the file.

        Args:
            path: The rows' bytes, one after the other.
            rows: How many there are.
            shape: The shape of one row.
        """
        self._path = path
        self._rows = rows
        self._shape = shape

    def __len__(self) -> int:
        return self._rows

    def __getitem__(self, rows: Tensor) -> Tensor:
        found = np.empty((len(rows), *self._shape), dtype=np.uint8)
        width = math.prod(self._shape)
        with self._path.open("rb", buffering=0) as stream:
            for place, row in zip(found, rows.tolist(), strict=True):
                stream.seek(row * width)
                stream.readinto(place)
        return torch.from_numpy(found)


def load_pixels(
    checkout: Checkout, folder: Path, card: DatasetCard, manifest: Manifest, *, memory_mib: int
) -> Tensor | PixelFile:
    """Return the pixels of a data set, decoding it if that has not been done.

    Args:
        checkout: The checkout.
        folder: The data set's folder.
        card: Its card.
        manifest: Its rows.
        memory_mib: How much memory the pixels may take.

    Returns:
        ``[rows, channels, height, width]``, bytes: a tensor, or a file if they are larger than that.
    """
    ingredients = {
        "images": sha256("\n".join(manifest.sha256).encode()),
        "shape": card.input_shape,
        "code": code_digest(data),
        "pillow": PIL.__version__,
    }
    path = checkout.lethe / "pixels" / short(sha256(canonical_json(ingredients)))
    if not _is_whole(path):
        _decode(path, folder, card, len(manifest))
    shape = (len(manifest), *card.input_shape)
    if math.prod(shape) > memory_mib * 2**20:
        return PixelFile(path, shape[0], shape[1:])
    return torch.from_numpy(np.fromfile(path, dtype=np.uint8).reshape(shape))


def _is_whole(path: Path) -> bool:
    """Tell whether pixels were kept here and are unaltered."""
    digest = path.with_suffix(".sha256")
    return path.is_file() and digest.is_file() and digest.read_bytes() == file_digest(path).encode()


def _decode(path: Path, folder: Path, card: DatasetCard, rows: int) -> None:
    """Decode every image into a file, and remove the pixels of every other data set."""
    channels, height, width = card.input_shape
    digest = hashlib.sha256()
    path.parent.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(dir=path.parent) as fresh,
        progress("decode images") as on_step,
    ):
        written = Path(fresh) / path.name
        with written.open("wb") as stream:
            for done, image in enumerate(each_image(folder), 1):
                pixels = pixels_of(open_image(image), channels, (height, width)).tobytes()
                digest.update(pixels)
                stream.write(pixels)
                on_step(Step("images", done, rows))
        for other in path.parent.iterdir():
            if other.is_file():
                other.unlink()
        written.replace(path)
    write_atomically(path.with_suffix(".sha256"), f"sha256:{digest.hexdigest()}".encode())
