"""When a deletion is due, from the ledger of requests, as a tag to search by."""

from collections.abc import Sequence
from pathlib import Path

from tasks.checkout.tags import Tag
from tasks.requests.ledger.finding import find_ledger
from tasks.requests.ledger.ledger import Ledger
from unlearn_core.errors import RequestError, SetupError
from unlearn_core.records.deletion import SplitRecord
from unlearn_core.records.ledger import Day
from unlearn_core.records.request import DeletionRequest


def search_tags(root: Path, split: SplitRecord, requests: Sequence[DeletionRequest]) -> dict[str, str]:
    """Return the tags by which a deletion's run can be found from its start.

    Args:
        root: The checkout.
        split: The resolved request.
        requests: The requests that it serves.

    Returns:
        Tags for MLflow; none of them names what is forgotten.
    """
    due, ids = first_due_day(root, requests), [one.id for one in requests]
    tags = {Tag.SCOPE_KIND: split.scope_kind}
    tags |= {} if due is None else {Tag.DUE: due}
    return tags | ({Tag.REQUESTS: ", ".join(ids)} if len(ids) > 1 else {})


def first_due_day(root: Path, requests: Sequence[DeletionRequest]) -> Day | None:
    """Return the day on which the first of some requests is due.

    Args:
        root: The checkout.
        requests: The requests that are served together.

    Returns:
        The day; None if no ledger holds any of exactly these requests, or it cannot be read now: a deletion
        does not wait for it.
    """
    try:
        ledger = find_ledger(root)
        days = [] if ledger is None else [_due(ledger, request) for request in requests]
    except SetupError:
        return None
    return min((day for day in days if day is not None), default=None)


def _due(ledger: Ledger, request: DeletionRequest) -> Day | None:
    """Return when a request is due; None if its id belongs to another request in the ledger."""
    try:
        submission = ledger.history(request.id)[0].submission
    except RequestError:
        return None
    return submission.due if submission.request == request else None
