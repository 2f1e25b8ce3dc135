"""A ledger to read: what it holds, and whether anybody altered it."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Engine, Select, select
from sqlalchemy.orm import Session

from tasks.checkout.environment import now
from tasks.requests.ledger.database import reading
from tasks.requests.ledger.tables import EventRow, RequestRow, entry_of, event_of, submission_of
from unlearn_core.audit.clocks import is_later
from unlearn_core.audit.ledger import check_ledger
from unlearn_core.errors import ConfigurationError, EvidenceError, RequestError
from unlearn_core.kinds import RequestState
from unlearn_core.records.base import Sha256, UtcTime
from unlearn_core.records.ledger import Day, Entry, LedgerEvent
from unlearn_core.records.request import DeletionRequest, RequestId


@dataclass(frozen=True)
class LedgerReader:
    """Every deletion request, and every change of its state.

    Attributes:
        engine: The database.
        clock: Tells the time. The clocks of several machines must agree to well within a lease.
    """

    engine: Engine
    clock: Callable[[], UtcTime] = now

    def entries(
        self, *, state: RequestState | None = None, due_before: Day | None = None
    ) -> tuple[Entry, ...]:
        """Return requests, ordered by due day.

        Args:
            state: Only those in this state.
            due_before: Only those that are due before this day.

        Returns:
            The requests in their current state.
        """
        query = by_due_day(select(RequestRow))
        if state is not None:
            query = query.where(RequestRow.state == state)
        if due_before is not None:
            query = query.where(RequestRow.due < due_before)
        with reading(self.engine) as session:
            return tuple(entry_of(row) for row in session.scalars(query))

    def history(self, request: RequestId) -> tuple[Entry, tuple[LedgerEvent, ...]]:
        """Return a request and its history.

        Args:
            request: Its id.

        Returns:
            The request in its current state, and its events in order.

        Raises:
            RequestError: If none has this id.
        """
        query = select(EventRow).where(EventRow.request == request).order_by(EventRow.sequence)
        with reading(self.engine) as session:
            entry = entry_of(known_row(session, request))
            return entry, tuple(event_of(row) for row in session.scalars(query))

    def holds(self, requests: Iterable[DeletionRequest]) -> bool:
        """Tell whether the ledger holds all of some requests, each with the same scope."""
        with reading(self.engine) as session:
            rows = [(request, session.get(RequestRow, request.id)) for request in requests]
            return all(row is not None and submission_of(row).request.asks_the_same(one) for one, row in rows)

    def head(self) -> Sha256 | None:
        """Return the digest of the whole history; None if it is empty."""
        with reading(self.engine) as session:
            last = last_event(session)
            return None if last is None else last.digest

    def verify(self, head: Sha256 | None = None) -> Sha256 | None:
        """Recompute the whole chain.

        Args:
            head: A head that was kept elsewhere: it must be part of the ledger's history.

        Returns:
            The ledger's head.

        Raises:
            EvidenceError: If anything was changed, or the kept head is not in the ledger.
        """
        with reading(self.engine) as session:
            rows = session.scalars(select(EventRow).order_by(EventRow.sequence)).all()
            requests = session.scalars(by_due_day(select(RequestRow))).all()
            found = check_ledger(_as_written(rows), _as_they_stand(requests), self.clock())
        if head is not None:
            self.require_event(head)
        return found

    def require_event(self, digest: Sha256, *, by: UtcTime | None = None) -> None:
        """Refuse a head that the ledger does not hold; ``verify`` checks the chain itself.

        Args:
            digest: An event's digest: a head that was kept elsewhere.
            by: When it was kept, if that is known.

        Raises:
            EvidenceError: If there is no such event, or it happened later.
        """
        with reading(self.engine) as session:
            row = session.scalar(select(EventRow).where(EventRow.digest == digest))
            found = None if row is None else event_of(row)
        if found is not None and by is not None and is_later(found.time, by):
            raise EvidenceError(f"event {found.sequence} of the ledger is of {found.time}, later than {by}")
        if found is None:
            raise EvidenceError(
                f"the ledger has no event {digest}: it was truncated, or that head is another ledger's"
            )


def _as_written(rows: Sequence[EventRow]) -> Iterator[tuple[LedgerEvent, Sha256]]:
    """Yield the events and their stored digests; a row that is no longer a valid event is named."""
    for row in rows:
        try:
            event = event_of(row)
        except ConfigurationError as error:
            raise EvidenceError(f"the ledger is broken at event {row.sequence}: {error}") from error
        yield event, row.digest


def _as_they_stand(rows: Sequence[RequestRow]) -> Iterator[Entry]:
    """Yield the requests; a row that is no longer a valid request is named."""
    for row in rows:
        try:
            entry = entry_of(row)
        except (ConfigurationError, ValueError) as error:
            raise EvidenceError(f"request {row.id!r} is not as it was written: {error}") from error
        yield entry


def open_entries(session: Session) -> tuple[Entry, ...]:
    """Return what waits or runs, ordered by due day.

    Waiting requests are locked for the transaction; rows that somebody has locked by hand are skipped.
    """
    waiting = by_due_day(select(RequestRow).where(RequestRow.state == "received"))
    rows = session.scalars(waiting.with_for_update(skip_locked=True)).all()
    running = session.scalars(select(RequestRow).where(RequestRow.state == "running")).all()
    return tuple(entry_of(row) for row in (*rows, *running))


def last_event(session: Session) -> LedgerEvent | None:
    """Return the event that the next one is chained to; None in an empty ledger."""
    row = session.scalar(select(EventRow).order_by(EventRow.sequence.desc()).limit(1))
    return None if row is None else event_of(row)


def known_row(session: Session, request: RequestId) -> RequestRow:
    """Return a request's row.

    Args:
        session: The transaction.
        request: The request's id.

    Returns:
        The row.

    Raises:
        RequestError: If there is none.
    """
    if (row := session.get(RequestRow, request)) is None:
        raise RequestError(f"there is no request {request!r} in the ledger; `lethe request list` shows all")
    return row


def by_due_day(query: Select[tuple[RequestRow]]) -> Select[tuple[RequestRow]]:
    """Order requests by due day, then by arrival."""
    return query.order_by(RequestRow.due, RequestRow.received, RequestRow.id)
