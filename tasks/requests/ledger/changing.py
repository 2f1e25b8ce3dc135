"""The parts of every change to the ledger: a draft, a row that may change, and an event."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from tasks.requests.ledger.database import added_rows
from tasks.requests.ledger.entries import readable
from tasks.requests.ledger.reading import known_row, last_event
from tasks.requests.ledger.tables import RequestRow, row_of_event, submission_of
from unlearn_core.audit.ledger import next_event
from unlearn_core.errors import RequestError
from unlearn_core.kinds import Basis
from unlearn_core.records.base import Sha256, UtcTime
from unlearn_core.records.ledger import Action, LedgerEvent
from unlearn_core.records.request import DeletionRequest, RequestId


@dataclass(frozen=True)
class Draft:
    """A request to be entered into the ledger.

    Attributes:
        request: Who or what is to be forgotten.
        model: The registered model that is to forget.
        basis: The law that it is based on.
        received: When it arrived; now, if None.
        policy: The digest of the policy at receipt; None if no checkout is at hand.
        where: Where it is in a file, for messages.
    """

    request: DeletionRequest
    model: str
    basis: Basis = "gdpr"
    received: UtcTime | None = None
    policy: Sha256 | None = None
    where: str = ""


def conflict(row: RequestRow | None, draft: Draft) -> str | None:
    """Return why a draft cannot have its id; None if the id is free, or belongs to this same request."""
    if row is None:
        return None
    known = submission_of(row)
    same = {
        "scope": known.request.scope == draft.request.scope,
        "model": known.model == draft.model,
        "basis": known.basis == draft.basis,
        "time of receipt": draft.received in {None, known.received},
    }
    if not (other := [name for name, equal in same.items() if not equal]):
        return None
    taken = f"the id {draft.request.id!r} is taken by a request with another {' and '.join(other)}"
    return f"{draft.where}{taken}; choose another id"


def change(
    session: Session,
    row: RequestRow,
    action: Action,
    *,
    time: UtcTime,
    actor: str,
    reason: str | None = None,
    policy: Sha256 | None = None,
) -> None:
    """Change a request's state, and add the event that records it.

    Args:
        session: The transaction; no other writer runs alongside it.
        row: The request; a new one has no state yet.
        action: What is done.
        time: When.
        actor: Who does it.
        reason: Why.
        policy: The digest of the policy at receipt, for a new one.
    """
    head, submission = last_event(session), submission_of(row)
    event = next_event(
        head, submission, row.state, action, time=time, actor=actor, reason=reason, policy=policy
    )
    row.state, row.worker, row.lease_until = event.after, None, None
    # An interrupted request resumes as it was: its model may already be promoted.
    row.leader = row.leader if action in {"claim", "expire"} else None
    row.waits_until = row.waits_until if action == "submit" else None
    session.add(row)
    append(session, event)


def append(session: Session, event: LedgerEvent) -> None:
    """Add an event at the end of the chain; it is written with all others of the transaction."""
    added_rows(session).append(row_of_event(event))


def held_row(session: Session, request: RequestId, worker: str) -> RequestRow:
    """Return the row of a request that a worker has claimed.

    Args:
        session: The transaction.
        request: The request's id.
        worker: The worker.

    Returns:
        The row.

    Raises:
        RequestError: If the claim is not this worker's, or no longer.
    """
    row = known_row(session, request)
    if row.state == "running" and row.worker == worker:
        return row
    holder = f", and {row.worker} is serving it" if row.worker else ""
    raise RequestError(
        f"worker {worker!r} does not hold request {request!r}: it is {row.state}{holder}; stop, and discard "
        "what was done under the expired claim"
    )


def known_rows(session: Session, requests: Sequence[RequestId]) -> dict[RequestId, RequestRow]:
    """Return the rows of those requests that the ledger has, by id."""
    rows = dict[RequestId, RequestRow]()
    for start in range(0, len(requests), 500):
        some = requests[start : start + 500]
        rows |= {row.id: row for row in session.scalars(select(RequestRow).where(RequestRow.id.in_(some)))}
    return rows


def expired_rows(session: Session, now: UtcTime) -> list[RequestRow]:
    """Return the rows whose claims have ended by now, without those that cannot be read."""
    # A claim without an end would hold its model forever.
    late = or_(RequestRow.lease_until < now, RequestRow.lease_until.is_(None))
    over = select(RequestRow).where(RequestRow.state == "running", late).order_by(RequestRow.id)
    return [row for row in session.scalars(over).all() if [*readable([row], {})]]


def silence_of(row: RequestRow) -> str:
    """Return why a claim ends without its worker."""
    return f"{row.worker} gave no sign of life until {row.lease_until}"
