"""A ledger to read: what it holds, and whether anybody altered it."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Engine, Select, func, select
from sqlalchemy.orm import Session

from tasks.checkout.environment import now
from tasks.requests.ledger.database import added_rows, reading
from tasks.requests.ledger.entries import by_due_day, readable, readable_or_warn
from tasks.requests.ledger.tables import EventRow, RequestRow, entry_of, event_of, submission_of
from tasks.requests.ledger.triggers import trigger_problems
from unlearn_core.audit.clocks import is_later
from unlearn_core.audit.ledger_checks import check_ledger
from unlearn_core.errors import EvidenceError, RequestError
from unlearn_core.kinds import RequestState
from unlearn_core.records.base import RegistryName, Sha256, UtcTime
from unlearn_core.records.ledger import Day, Entry, LedgerEvent
from unlearn_core.records.request import DeletionRequest, RequestId
from unlearn_core.spelling import did_you_mean


@dataclass(frozen=True)
class LastEvent:
    """The last event, as the next one is chained to it; its time is None if it was damaged."""

    sequence: int
    digest: Sha256
    time: UtcTime | None


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
        self,
        *,
        state: RequestState | Sequence[RequestState] | None = None,
        due_before: Day | None = None,
        model: RegistryName | None = None,
        limit: int | None = None,
        after: int = 0,
    ) -> tuple[Entry, ...]:
        """Return requests, ordered by due day.

        Args:
            state: Only those in this state, or in one of these.
            due_before: Only those that are due before this day.
            model: Only those for this model.
            limit: At most so many; all by default.
            after: How many to leave out at the start.

        Returns:
            The requests in their current state, without those that cannot be read; a warning names these.
        """
        # What is left out at the start is only counted in an index, and no row of it is read.
        page = by_due_day(select(RequestRow.id)).where(*_asked(state, due_before, model))
        page = page.limit(limit).offset(after).subquery()
        query = by_due_day(select(RequestRow).join(page, page.c.id == RequestRow.id))
        with reading(self.engine) as session:
            return readable_or_warn(session.scalars(query))

    def count(
        self,
        *,
        state: RequestState | Sequence[RequestState] | None = None,
        due_before: Day | None = None,
        model: RegistryName | None = None,
    ) -> int:
        """Return how many requests ``entries`` would return of all, including any that cannot be read."""
        query = select(func.count()).select_from(RequestRow).where(*_asked(state, due_before, model))
        with reading(self.engine) as session:
            return session.scalar(query) or 0

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

    def state(self, request: RequestId) -> RequestState | None:
        """Return the state of a request; None if none has this id."""
        with reading(self.engine) as session:
            row = session.get(RequestRow, request)
            return None if row is None else row.state

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

    @property
    def is_shared(self) -> bool:
        """Whether it is on a server, for all models, rather than in one checkout."""
        return self.engine.dialect.name != "sqlite"

    def completions(self, requests: Sequence[RequestId]) -> dict[RequestId, UtcTime]:
        """Return when each of some requests was completed; one that was not is left out."""
        query = select(EventRow.request, EventRow.time).where(
            EventRow.action == "complete", EventRow.request.in_(requests)
        )
        with reading(self.engine) as session:
            return dict(session.execute(query).tuples().all())

    def verify(self, head: Sha256 | None = None) -> Sha256 | None:
        """Recompute the whole chain; rows are read as a stream, and none is kept.

        Args:
            head: A head that was kept elsewhere: it must be part of the ledger's history.

        Returns:
            The ledger's head.

        Raises:
            EvidenceError: If anything was changed, or the kept head is not in the ledger.
        """
        damaged = dict[RequestId, str]()
        with (
            reading(self.engine) as session,
            session.execute(_streamed(select(EventRow.__table__).order_by(EventRow.sequence))) as events,
            session.execute(_streamed(by_due_day(select(RequestRow.__table__)))) as rows,
        ):
            problems = list(trigger_problems(session.connection()))
            chain = ((event_of(row), row.digest) for row in events)
            try:
                found = check_ledger(chain, readable(rows, damaged), damaged, self.clock())
            except EvidenceError as error:
                raise EvidenceError("\n".join([str(error), *problems])) from error
        if problems:
            raise EvidenceError("\n".join(problems))
        if head is not None:
            self.require_event(head)
        return found

    def place_of_event(self, digest: Sha256) -> int | None:
        """Return the number of the event with a digest; None if there is none."""
        with reading(self.engine) as session:
            return session.scalar(select(EventRow.sequence).where(EventRow.digest == digest))

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


def last_event(session: Session) -> LastEvent | None:
    """Return the event that the next one is chained to; None in an empty ledger.

    If it was damaged its time counts for nothing: whoever does that must not keep later events from being
    recorded.
    """
    last = select(EventRow).order_by(EventRow.sequence.desc()).limit(1)
    added = added_rows(session)
    row = added[-1] if added else session.scalars(last).first()
    if row is None:
        return None
    with suppress(EvidenceError):
        if (event := event_of(row)).digest == row.digest:
            return LastEvent(row.sequence, row.digest, event.time)
    return LastEvent(row.sequence, row.digest, None)


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
        hint = did_you_mean(request, session.scalars(select(RequestRow.id)))
        raise RequestError(
            f"there is no request {request!r} in the ledger; {hint}`lethe request list` shows all"
        )
    return row


def _asked(
    state: RequestState | Sequence[RequestState] | None, due_before: Day | None, model: RegistryName | None
) -> Iterator[ColumnElement[bool]]:
    """Yield the conditions on requests that somebody looks for."""
    if state is not None:
        states = [state] if isinstance(state, str) else state
        yield RequestRow.state.in_(states)
    if due_before is not None:
        yield RequestRow.due < due_before
    if model is not None:
        yield RequestRow.model == model


def _streamed(query: Select[Any]) -> Select[Any]:
    """Return a query of whose rows a thousand are in memory at a time, as plain rows."""
    return query.execution_options(yield_per=1000)
