"""What a worker may claim, found without reading the whole queue.

A rule needs only the requests of the model that it chooses from. So the first that may go is looked up by
index, and then as many of its model as one run can serve.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from sqlalchemy import (
    ColumnElement,
    Select,
    TextClause,
    literal,
    or_,
    select,
    text,
    tuple_,
    union,
    update,
)
from sqlalchemy.orm import Session

from tasks.requests.ledger.batches import batch_of
from tasks.requests.ledger.entries import BY_DUE_DAY, by_due_day, readable, warn_of
from tasks.requests.ledger.tables import BEGUN, CLAIMABLE, EventRow, RequestRow
from unlearn_core.audit.queueing import Rule, kind_of
from unlearn_core.kinds import TO_SERVE
from unlearn_core.records.base import RegistryName, Sha256, UtcTime
from unlearn_core.records.ledger import Entry
from unlearn_core.records.request import RequestId

# Written out, since a partial index is used only for the very condition that it has.
_RECEIVED = text("state = 'received'")


def end_waits(session: Session, now: UtcTime) -> None:
    """Let go the requests that have waited for others long enough."""
    over = update(RequestRow).where(RequestRow.waits_until <= now).values(waits_until=None)
    session.execute(over, execution_options={"synchronize_session": False})


def choose_rows(session: Session, rule: Rule) -> list[RequestRow]:
    """Return the rows of what a rule chooses, in its order.

    Waiting requests that somebody has locked by hand are passed over. So are damaged ones, but where such a
    request was begun nothing else of its model is chosen: what it made may be in use already.

    Args:
        session: The transaction; claims that have expired are ended in it, and so are waits.
        rule: The rule.

    Returns:
        The rows; empty if there is nothing to do now.
    """
    queue = _Queue(session, rule)
    chosen = queue.choose()
    warn_of(queue.damaged)
    return chosen


@dataclass
class _Queue:
    """What has been read of the queue, for one claim.

    Attributes:
        session: The transaction.
        rule: The rule.
        damaged: What is wrong with requests that were left out.
        passed: The models of which nothing can be served now.
        rows: What was read, by id.
    """

    session: Session
    rule: Rule
    damaged: dict[RequestId, str] = field(default_factory=dict[RequestId, str])
    passed: set[RegistryName] = field(default_factory=set[RegistryName])
    rows: dict[RequestId, RequestRow] = field(default_factory=dict[RequestId, RequestRow])

    def choose(self) -> list[RequestRow]:
        """Return the rows of what the rule chooses."""
        model = self.rule.model
        if self.rule.request is not None:
            wanted = self.session.get(RequestRow, self.rule.request)
            if wanted is None or wanted.state not in TO_SERVE:
                return []
            model = wanted.model
        held = select(RequestRow.model, RequestRow.state)
        # Two questions in one, each of which has an index.
        begun_or_running = union(held.where(RequestRow.state == "running"), held.where(text(BEGUN)))
        states = set(self.session.execute(begun_or_running).tuples())
        self.passed = {held_model for held_model, state in states if state == "running"}
        begun = {held_model for held_model, _ in states} - self.passed
        while (first := self._first(model, begun)) is not None:
            rule = self.rule.under(batch_of(self.session, first.submission.model))
            if chosen := rule(self._of_its_model(first, begun, rule.limit)):
                return [self.rows[entry.id] for entry in chosen]
            self.passed.add(first.submission.model)
        return []

    def _first(self, model: RegistryName | None, begun: set[RegistryName]) -> Entry | None:
        """Return the request that is due first of those that may be first."""
        while True:
            query = by_due_day(select(RequestRow)).where(self._may_go()).limit(1)
            if model is not None:
                query = query.where(RequestRow.model == model)
            if self.passed:
                query = query.where(RequestRow.model.not_in(self.passed))
            if begun:
                query = query.where(or_(text(BEGUN), RequestRow.model.not_in(begun)))
            if self.damaged:
                query = query.where(RequestRow.id.not_in(self.damaged))
            if not (rows := self._read(query)):
                return None
            if entries := self._intact(rows):
                return entries[0]
            if rows[0].leader is not None:
                self.passed.add(rows[0].model)

    def _may_go(self) -> ColumnElement[bool] | TextClause:
        """Return the condition on what may be first, as the rule has it."""
        if not self.rule.patient:
            return RequestRow.state == "received"
        claimable = text(CLAIMABLE)
        if self.rule.request is None:
            return claimable
        return or_(claimable, (RequestRow.id == self.rule.request) & _RECEIVED)

    def _of_its_model(self, first: Entry, begun: set[RegistryName], most: int) -> Sequence[Entry]:
        """Return what the rule may choose together with a request, by due day."""
        own = by_due_day(select(RequestRow)).where(_RECEIVED, RequestRow.model == first.submission.model)
        asked = self.rule.request
        wanted = [] if asked is None else self._intact(self._read(own.where(RequestRow.id == asked)))
        if first.submission.model in begun:
            rows = self._read(own.where(text(BEGUN)))
            found = self._intact(rows)
            if len(found) < len(rows):
                return ()
        else:
            found = [first, *self._alike(own, first, most - 1)]
        return sorted({entry.id: entry for entry in (*wanted, *found)}.values(), key=_order)

    def _alike(self, own: Select[tuple[RequestRow]], first: Entry, most: int) -> Iterator[Entry]:
        """Yield the requests that can be served in one run with another one, those due first."""
        page = own
        while most > 0 and (rows := self._read(page.limit(most + 1))):
            for entry in self._intact(rows):
                if most > 0 and entry != first and kind_of(entry) == kind_of(first):
                    most -= 1
                    yield entry
            reached = (literal(value) for value in (rows[-1].due, rows[-1].received, rows[-1].id))
            page = own.where(tuple_(*BY_DUE_DAY) > tuple_(*reached))

    def _read(self, query: Select[tuple[RequestRow]]) -> Sequence[RequestRow]:
        return self.session.scalars(query.with_for_update(skip_locked=True)).all()

    def _intact(self, rows: Sequence[RequestRow]) -> list[Entry]:
        """Return the requests of rows that are as they were entered."""
        if not rows:
            return []
        self.rows |= {row.id: row for row in rows}
        submitted = _submitted(self.session, [row.id for row in rows])
        return list(readable(rows, self.damaged, submitted))


def _order(entry: Entry) -> tuple[str, str, str]:
    return entry.submission.due, entry.submission.received, entry.id


def _submitted(session: Session, requests: Sequence[RequestId]) -> dict[RequestId, Sha256]:
    """Return the digests of what was asked for when some requests were entered."""
    query = select(EventRow.request, EventRow.submission)
    query = query.where(EventRow.action == "submit", EventRow.request.in_(requests))
    return dict(session.execute(query).tuples().all())
