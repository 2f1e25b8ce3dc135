"""The built-in data set: scikit-learn's scanned digits, which ship with the library."""

import io
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tasks.checkout.checkout import Checkout
from tasks.data.datasets import describe_dataset, manifest_of, rows_digest, write_dataset
from tasks.data.fingerprints import fingerprinted
from tasks.data.incoming import Incoming, deal, fractions_of
from tasks.data.source import Dealt
from tasks.data.tombstones import refuse_forgotten
from unlearn_core.canaries import plant
from unlearn_core.fingerprints import fingerprint
from unlearn_core.image_formats import open_format
from unlearn_core.records.base import Sha256, sha256
from unlearn_core.records.data import DatasetCard, Normalisation
from unlearn_core.records.params import DigitsSource
from unlearn_core.selection import Manifest

DIGITS = tuple("0123456789")


class Digits(Dealt[DigitsSource]):
    """The scanned digits; rebuilt each time, since that takes a second."""

    settings = DigitsSource

    def rows(self, root: Path, params: DigitsSource) -> Incoming:  # noqa: ARG002
        """List the digits; see ``Dealt.rows``."""
        table, classes = make_digits(params)
        images = table["image"].to_pylist()
        return Incoming(
            sample_ids=table["sample_id"].to_pylist(),
            labels=table["label"].to_numpy(),
            splits=np.array(table["split"].to_pylist(), dtype=object),
            subject_ids=table["subject_id"].to_pylist(),
            sizes=np.array([len(image) for image in images], dtype=np.int64),
            stamps=np.zeros(len(images), dtype=np.int64),
            classes=classes,
            read=lambda row: images[row],
        )

    def make(self, checkout: Checkout, params: DigitsSource) -> DatasetCard:
        """Write the digits as a data set; see ``Source.make``."""
        from unlearn_core.data import decode

        table, classes = make_digits(params)
        manifest = manifest_of(table, classes)
        refuse_forgotten(checkout, lambda: _fingerprinted(manifest, table["image"].to_pylist()))
        train = np.flatnonzero(manifest.splits == "train")
        pixels = decode(table["image"].take(train).to_pylist(), channels=1)
        card = describe_dataset(
            manifest,
            name="digits",
            input_shape=(1, 8, 8),
            normalisation=Normalisation(
                mean=(round(float(pixels.mean()), 4),), std=(round(float(pixels.std()), 4),)
            ),
        )
        write_dataset(checkout.dataset, table, card)
        return card

    def preview(self, checkout: Checkout, params: DigitsSource) -> Manifest:  # noqa: ARG002
        """Return the rows; see ``Source.preview``."""
        # Without a table: pyarrow loads pandas to make one, which takes longer than all the rest.
        columns = _columns(params)
        return Manifest(
            sample_ids=np.asarray(columns["sample_id"]),
            labels=columns["label"],
            splits=np.asarray(columns["split"]),
            subject_ids=np.asarray(columns["subject_id"]),
            sha256=np.asarray(columns["sha256"]),
            classes=DIGITS,
        )

    def ancestry(self, checkout: Checkout, params: DigitsSource) -> tuple[Sha256, ...]:
        """Return the rows' digest: they come from no other data set."""
        return (rows_digest(self.preview(checkout, params)),)


def make_digits(params: DigitsSource) -> tuple[pa.Table, tuple[str, ...]]:
    """Make the digits data set: images as PNG, split and assigned to subjects by seed.

    Args:
        params: Fractions, seed and canaries.

    Returns:
        The table in the order of its ids, and the classes' names.
    """
    columns = _columns(params)
    return pa.table({**columns, "image": pa.array(columns["image"], pa.binary())}), DIGITS


def _fingerprinted(manifest: Manifest, images: list[bytes]) -> Manifest:
    return fingerprinted(manifest, [fingerprint(open_format(image)) for image in images])


def _columns(params: DigitsSource) -> dict[str, Any]:
    """Return the columns of the data set; the labels are an array, the others are lists."""
    scans, labels = read_scans()
    random = np.random.default_rng(params.seed)
    splits = deal(labels, fractions_of(params), rest="train", random=random)
    subjects = _subjects(splits, params, random)
    images = [_png(image) for image in scans]
    plant(
        labels,
        splits,
        subjects,
        count=params.canaries,
        among=np.flatnonzero(splits == "train"),
        classes=len(DIGITS),
        random=random,
    )
    return {
        "sample_id": [f"digit-{row:04d}" for row in range(len(labels))],
        "label": labels,
        "split": splits.tolist(),
        "subject_id": subjects.tolist(),
        "sha256": [sha256(image) for image in images],
        "image": images,
    }


def read_scans() -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Read the file of digits that scikit-learn ships; its function imports pandas first, for a second.

    Returns:
        The images ``[1797, 8, 8]``, of values 0 to 16, and the digits that they show.
    """
    found = find_spec("sklearn")
    assert found is not None
    assert found.origin is not None
    rows = np.loadtxt(Path(found.origin).parent / "datasets" / "data" / "digits.csv.gz", delimiter=",")
    return rows[:, :-1].reshape(-1, 8, 8), rows[:, -1].astype(np.int64)


def _subjects(
    splits: NDArray[np.object_], params: DigitsSource, random: np.random.Generator
) -> NDArray[np.object_]:
    """Assign training rows to subjects, about ``rows_per_subject`` each; other rows belong to nobody."""
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
