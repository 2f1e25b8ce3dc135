"""Stage ``dataset``: the data that the parent was trained on."""

from tasks.checkout.checkout import Checkout
from tasks.data.sources import source_of
from unlearn_core.records.data import DatasetCard


def make_dataset(checkout: Checkout) -> DatasetCard:
    """Write ``data/dataset`` as ``params.yaml`` says, and return its card."""
    params = checkout.params.dataset
    return source_of(params).make(checkout, params)
