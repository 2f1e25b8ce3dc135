"""Why requests wait, and until when."""

from collections.abc import Sequence

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from tasks.requests.ledger.batches import batch_of
from tasks.requests.ledger.database import reading
from tasks.requests.ledger.reading import LedgerReader
from tasks.requests.ledger.tables import BEGUN, RequestRow
from unlearn_core.records.base import RegistryName, UtcTime
from unlearn_core.records.ledger import Entry
from unlearn_core.records.request import RequestId


def why_waiting(ledger: LedgerReader, entries: Sequence[Entry]) -> dict[RequestId, str]:
    """Say why requests wait, and until when.

    Args:
        ledger: Holds the requests.
        entries: The requests.

    Returns:
        A phrase for each that was received and is not running.
    """
    waiting = [entry for entry in entries if entry.state == "received"]
    with reading(ledger.engine) as session:
        ahead = {model: _ahead(session, model) for model in {one.submission.model for one in waiting}}
        return {
            entry.id: _why(session, entry, ahead[entry.submission.model], ledger.clock()) for entry in waiting
        }


def _ahead(session: Session, model: RegistryName) -> RequestRow | None:
    """Return the request that is running on a model, or was begun and is finished first."""
    begun = select(RequestRow).where(RequestRow.model == model, text(BEGUN))
    return session.scalars(begun.order_by(RequestRow.state.desc(), RequestRow.id).limit(1)).first()


def _why(session: Session, entry: Entry, ahead: RequestRow | None, now: UtcTime) -> str:
    """Say why a request waits, given what goes first on its model."""
    if entry.leader is not None:
        return "for the next worker, which resumes its run"
    if entry.waits_until is not None and entry.waits_until > now:
        batch = batch_of(session, entry.submission.model)
        full = "" if batch is None else f", or until {batch.at_most} wait"
        return f"for others on {entry.submission.model} until {entry.waits_until}{full}"
    if ahead is not None and ahead.state == "running":
        return f"until request {ahead.id} is served on its model, which {ahead.worker} works on"
    if ahead is not None:
        return f"until request {ahead.id}, whose run was interrupted, is resumed"
    return "for a worker, or `lethe pending`; what is due earlier goes first"
