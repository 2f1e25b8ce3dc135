"""Legal holds: a request that is held is not purged. The ledger says which are, by whom and why."""

from pathlib import Path

from tasks.requests.ledger.finding import find_ledger
from tasks.requests.ledger.ledger import Ledger
from tasks.requests.ledger.noting import last_hold
from unlearn_core.errors import RequestError
from unlearn_core.records.ledger import LedgerEvent
from unlearn_core.records.request import DeletionRequest


def hold_on(ledger: Ledger | None, request: DeletionRequest) -> LedgerEvent | None:
    """Return the hold on a request; None if it is not held, or the ledger does not know it.

    Args:
        ledger: The ledger, if there is one.
        request: The request.

    Returns:
        The event with which it was held.
    """
    if ledger is None or not ledger.holds((request,)):
        return None
    return last_hold(ledger, request.id)


def refuse_held(root: Path, request: DeletionRequest) -> None:
    """Refuse to purge a request that is held.

    Raises:
        RequestError: If it is.
    """
    if (held := hold_on(find_ledger(root), request)) is not None:
        raise RequestError(
            f"request {request.id!r} is held since {held.time} by {held.actor}: {held.reason}. Nothing of it "
            f"is erased until `lethe request release {request.id} --reason WHY`"
        )
