"""Requests that were cancelled in the ledger: whoever asked has taken them back, and that is final."""

from pathlib import Path

from tasks.requests.ledger.finding import find_ledger
from unlearn_core.errors import RequestError
from unlearn_core.records.request import DeletionRequest


def refuse_cancelled(root: Path, request: DeletionRequest) -> None:
    """Refuse to serve what the ledger says was cancelled, whatever is named under its id.

    Args:
        root: The checkout.
        request: The request, or a group of them.

    Raises:
        RequestError: If it was, or any member.
    """
    if (ledger := find_ledger(root)) is None:
        return
    if taken := [one.id for one in request.singles if ledger.state(one.id) == "cancelled"]:
        raise RequestError(
            f"{', '.join(map(repr, taken))} was cancelled in the ledger, which is final; nothing was "
            "changed. `lethe request show` says by whom and why. If it is wanted after all, ask again under "
            "a new id"
        )
