"""What it cost to make a model on this machine."""

from tasks.checkout.checkout import Checkout
from tasks.checkout.files import read_record
from unlearn_core.records.base import Sha256
from unlearn_core.records.evaluation import Cost


def read_cost(checkout: Checkout, weights: Sha256) -> Cost | None:
    """Return what it cost to make a model, or None if it was not made on this machine."""
    path = checkout.cost(weights)
    return read_record(path, Cost) if path.is_file() else None
