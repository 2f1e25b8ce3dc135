"""Stage ``dataset``: the data that the parent was trained on."""

import numpy as np

from flows.stages.process import run_stage
from tasks.checkout.checkout import Checkout
from tasks.checkout.files import copy_folder
from tasks.data.datasets import (
    describe_dataset,
    manifest_of,
    read_card,
    read_manifest,
    rows_digest,
    write_dataset,
)
from tasks.data.digits import make_digits
from tasks.data.importing import import_dataset, place_import
from unlearn_core.data import decode
from unlearn_core.errors import PipelineError
from unlearn_core.records.data import DatasetCard, Normalisation
from unlearn_core.records.params import DigitsSource, RetainedSource


def make_dataset(checkout: Checkout) -> DatasetCard:
    """Write ``data/dataset`` as ``params.yaml`` says.

    Args:
        checkout: The checkout.

    Returns:
        The data set's card.
    """
    params = checkout.params.dataset
    if isinstance(params, DigitsSource):
        return _from_digits(checkout, params)
    if isinstance(params, RetainedSource):
        return _from_retained(checkout, params)
    import_dataset(checkout, params)
    place_import(checkout, params)
    return read_card(checkout.dataset)


def _from_digits(checkout: Checkout, params: DigitsSource) -> DatasetCard:
    table, classes = make_digits(params)
    manifest = manifest_of(table, classes)
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


def _from_retained(checkout: Checkout, params: RetainedSource) -> DatasetCard:
    source = checkout.generation("data", params.rows_digest)
    if not source.is_dir():
        raise PipelineError(f"{source} does not exist; fetch it with `dvc checkout` or `dvc pull`")
    if (found := rows_digest(read_manifest(source))) != params.rows_digest:
        raise PipelineError(f"{source} holds rows {found}, params.yaml names {params.rows_digest}")
    copy_folder(source, checkout.dataset)
    return read_card(checkout.dataset)


if __name__ == "__main__":
    run_stage(make_dataset)
