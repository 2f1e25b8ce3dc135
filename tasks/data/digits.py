"""The built-in data set: scikit-learn's scanned digits, which ship with the library."""

import io
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tasks.data.canaries import plant
from tasks.data.incoming import deal, fractions_of
from unlearn_core.records.base import sha256
from unlearn_core.records.params import DigitsSource


def make_digits(params: DigitsSource) -> tuple[pa.Table, tuple[str, ...]]:
    """Make the digits data set: images as PNG, split and assigned to subjects by seed.

    Args:
        params: Fractions, seed and canaries.

    Returns:
        The table in the order of its ids, and the classes' names.
    """
    from sklearn.datasets import load_digits

    digits: Any = load_digits()
    random = np.random.default_rng(params.seed)
    labels = np.asarray(digits.target, dtype=np.int64)
    splits = deal(labels, fractions_of(params), rest="train", random=random)
    subjects = _subjects(splits, params, random)
    images = [_png(image) for image in digits.images]
    plant(
        labels,
        splits,
        subjects,
        count=params.canaries,
        among=np.flatnonzero(splits == "train"),
        classes=len(digits.target_names),
        random=random,
    )
    table = pa.table(
        {
            "sample_id": [f"digit-{row:04d}" for row in range(len(labels))],
            "label": labels,
            "split": splits.tolist(),
            "subject_id": subjects.tolist(),
            "sha256": [sha256(image) for image in images],
            "image": pa.array(images, pa.binary()),
        }
    )
    return table, tuple(str(name) for name in digits.target_names)


def _subjects(
    splits: NDArray[np.object_], params: DigitsSource, random: np.random.Generator
) -> NDArray[np.object_]:
    """Give every training row to a subject, about ``rows_per_subject`` each; other rows to nobody."""
    subjects = np.full(len(splits), "", dtype=object)
    train = random.permutation(np.flatnonzero(splits == "train"))
    for position, row in enumerate(train):
        subjects[row] = f"subject-{position // params.rows_per_subject:04d}"
    return subjects


def _png(image: NDArray[np.float64]) -> bytes:
    """Encode one 8×8 image of values 0 to 16."""
    from PIL import Image

    stream = io.BytesIO()
    Image.fromarray(np.round(image * 255 / 16).astype(np.uint8)).save(stream, format="PNG")
    return stream.getvalue()
