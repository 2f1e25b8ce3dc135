"""Images that lie in a NumPy file."""

import io
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image

from tasks.data.images import Images
from tasks.data.incoming import Incoming, deal_splits
from unlearn_core.errors import SetupError
from unlearn_core.records.params import ImageSource


class ArraysSource(ImageSource):
    """A file of ``numpy.savez`` with ``images`` (``[n, height, width]``, bytes) and ``labels`` (``[n]``)."""

    source: Literal["arrays"] = "arrays"
    path: str


class Arrays(Images[ArraysSource]):
    """Grey images in a NumPy file; a sample's id is its row's number."""

    settings = ArraysSource

    def listed(self, root: Path, params: ArraysSource) -> Incoming:
        """List the rows of the file; see ``Images.listed``."""
        path = root / params.path
        if not path.is_file():
            raise SetupError(f"dataset.path: {path.name} is no file; name one that numpy.savez wrote")
        with np.load(path, allow_pickle=False) as arrays:
            images, labels = arrays["images"], arrays["labels"].astype(np.int64)
        count = len(labels)
        return Incoming(
            sample_ids=[f"row-{row:06d}" for row in range(count)],
            labels=labels,
            splits=deal_splits(labels, np.zeros(count, dtype=bool), params),
            subject_ids=[""] * count,
            sizes=np.full(count, images[0].nbytes, dtype=np.int64),
            stamps=np.full(count, path.stat().st_mtime_ns, dtype=np.int64),
            classes=params.classes or tuple(str(label) for label in range(labels.max() + 1)),
            read=lambda row: png(images[row]),
        )

    def origin(self, params: ArraysSource) -> str:
        """Return the file."""
        return params.path


def png(image: np.ndarray) -> bytes:
    """Encode one image without loss."""
    stream = io.BytesIO()
    Image.fromarray(image).save(stream, format="PNG")
    return stream.getvalue()
