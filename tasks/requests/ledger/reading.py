"""A ledger to read: what it holds, and whether anybody altered it."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass

from sqlalchemy import Engine, Select, select
from sqlalchemy.orm import Session

from tasks.checkout.environment import now
from tasks.checkout.log import warn
from tasks.requests.ledger.database import reading
from tasks.requests.ledger.tables import EventRow, RequestRow, entry_of, event_of, submission_of
from tasks.requests.ledger.triggers import trigger_problems
from unlearn_core.audit.clocks import is_later
from unlearn_core.audit.ledger_checks import check_ledger
from unlearn_core.errors import EvidenceError, RequestError
from unlearn_core.kinds import TO_SERVE, RequestState
from unlearn_core.records.base import Sha256, UtcTime
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
        self, *, state: RequestState | None = None, due_before: Day | None = None
    ) -> tuple[Entry, ...]:
        """Return requests, ordered by due day.

        Args:
            state: Only those in this state.
            due_before: Only those that are due before this day.

        Returns:
            The requests in their current state, without those that cannot be read; a warning names these.
        """
        query = by_due_day(select(RequestRow))
        if state is not None:
            query = query.where(RequestRow.state == state)
        if due_before is not None:
            query = query.where(RequestRow.due < due_before)
        with reading(self.engine) as session:
            return readable(session.scalars(query))

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

    @property
    def is_shared(self) -> bool:
        """Whether it is on a server, for all models, rather than in one checkout."""
        return self.engine.dialect.name != "sqlite"

    def completions(self) -> dict[RequestId, UtcTime]:
        """Return when each completed request was completed."""
        query = select(EventRow.request, EventRow.time).where(EventRow.action == "complete")
        with reading(self.engine) as session:
            return dict(session.execute(query).tuples().all())

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
            entries, damaged = read_entries(session.scalars(by_due_day(select(RequestRow))))
            problems = list(trigger_problems(session.connection()))
            try:
                found = check_ledger(
                    ((event_of(row), row.digest) for row in rows), entries, damaged, self.clock()
                )
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


def read_entries(
    rows: Iterable[RequestRow], submitted: Mapping[RequestId, Sha256] | None = None
) -> tuple[tuple[Entry, ...], dict[RequestId, str]]:
    """Read the requests of some rows.

    Args:
        rows: The rows.
        submitted: The digests of what was asked for, to compare with.

    Returns:
        The requests, in the rows' order, and what is wrong with each that cannot be read, by id.
    """
    entries, damaged = list[Entry](), dict[RequestId, str]()
    for row in rows:
        try:
            entry = entry_of(row)
        except EvidenceError as error:
            damaged[row.id] = str(error)
            continue
        if submitted is None or submitted.get(row.id) == entry.submission.digest:
            entries.append(entry)
        else:
            damaged[row.id] = f"request {row.id!r} is not as it was entered: what was asked for has changed"
    return tuple(entries), damaged


def readable(
    rows: Iterable[RequestRow], submitted: Mapping[RequestId, Sha256] | None = None
) -> tuple[Entry, ...]:
    """Read the requests of some rows, and warn of those that cannot be read."""
    entries, damaged = read_entries(rows, submitted)
    for problem in damaged.values():
        warn(f"· left out: {problem}; `lethe request verify` names all that was changed")
    return entries


def open_entries(session: Session) -> tuple[Entry, ...]:
    """Return what waits or runs, ordered by due day.

    Waiting requests are locked for the transaction; rows that somebody has locked by hand are skipped. So are
    damaged rows, but where such a request was begun nothing else of its model is returned: what it made may
    be in use already.
    """
    waiting = by_due_day(select(RequestRow).where(RequestRow.state == "received"))
    rows = session.scalars(waiting.with_for_update(skip_locked=True)).all()
    running = session.scalars(select(RequestRow).where(RequestRow.state == "running")).all()
    entries = readable((*rows, *running), _submitted(session))
    read = {entry.id for entry in entries}
    begun = {row.model for row in (*rows, *running) if row.id not in read and row.leader is not None}
    return tuple(entry for entry in entries if entry.submission.model not in begun)


def _submitted(session: Session) -> dict[RequestId, Sha256]:
    """Return the digests of what was asked for when open requests were entered."""
    still_open = select(RequestRow.id).where(RequestRow.state.in_(TO_SERVE))
    query = select(EventRow.request, EventRow.submission)
    query = query.where(EventRow.action == "submit", EventRow.request.in_(still_open))
    return dict(session.execute(query).tuples().all())


def last_event(session: Session) -> LastEvent | None:
    """Return the event that the next one is chained to; None in an empty ledger.

    If it was damaged its time counts for nothing: whoever does that must not keep later events from being
    recorded.
    """
    row = session.scalars(select(EventRow).order_by(EventRow.sequence.desc()).limit(1)).first()
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


def by_due_day(query: Select[tuple[RequestRow]]) -> Select[tuple[RequestRow]]:
    """Order requests by due day, then by arrival."""
    return query.order_by(RequestRow.due, RequestRow.received, RequestRow.id)
