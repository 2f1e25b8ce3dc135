"""What it cost to make a model on this machine, and where the time of a deletion went."""

from tasks.checkout.checkout import Checkout
from tasks.checkout.files import read_record, write_record
from unlearn_core.records.base import Sha256
from unlearn_core.records.evaluation import Cost, TimeSpent


def read_cost(checkout: Checkout, weights: Sha256) -> Cost | None:
    """Return what it cost to make a model, or None if it was not made on this machine."""
    path = checkout.cost(weights)
    return read_record(path, Cost) if path.is_file() else None


def read_time(checkout: Checkout, request_id: str) -> TimeSpent | None:
    """Return where the time of a request's deletion went, or None if it was not run on this machine."""
    path = checkout.time_spent(request_id)
    return read_record(path, TimeSpent) if path.is_file() else None


def keep_time(checkout: Checkout, request_id: str, **seconds: float | None) -> None:
    """Keep how long parts of a deletion took, in place of what they took when they were last run.

    Args:
        checkout: The checkout.
        request_id: The request's id, or the group's.
        **seconds: By the names in ``TimeSpent``.
    """
    before = read_time(checkout, request_id) or TimeSpent()
    write_record(checkout.time_spent(request_id), TimeSpent(**{**dict(before), **seconds}))
