"""The ledger itself: every change is one transaction, and says who may make it.

Writers take turns, since each event carries the digest of the previous one. Readers never wait for them.
"""

import weakref
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy.orm import Session

from tasks.checkout.settings import LEASE_S
from tasks.requests.ledger.batches import batch_of, let_full_go
from tasks.requests.ledger.changing import (
    Draft,
    change,
    conflict,
    expired_rows,
    held_row,
    known_rows,
    silence_of,
)
from tasks.requests.ledger.database import ledger_url, writing
from tasks.requests.ledger.queue import choose_rows, end_waits
from tasks.requests.ledger.reading import LedgerReader, known_row
from tasks.requests.ledger.tables import RequestRow, entry_of, row_of_submission
from unlearn_core.audit.batching import waits_until
from unlearn_core.audit.deadlines import later
from unlearn_core.audit.ledger import make_submission
from unlearn_core.audit.queueing import DUE_FIRST, Rule
from unlearn_core.errors import RequestError
from unlearn_core.records.ledger import Action, Entry
from unlearn_core.records.request import RequestId

MOST_ATTEMPTS = 3
"""How often a request is claimed before it fails: one that kills every worker must not come back forever."""


def connect(root: Path | None) -> "Ledger":
    """Open the ledger; a SQLite file is created, or brought up to date, first.

    Args:
        root: The checkout, if there is one.

    Returns:
        The ledger.

    Raises:
        SetupError: If there is none, it cannot be reached, or its tables are not of this version.
    """
    from tasks.requests.ledger.schema import open_current  # loads Alembic

    ledger = Ledger(open_current(ledger_url(root)))
    weakref.finalize(ledger, ledger.engine.dispose)
    return ledger


class Ledger(LedgerReader):
    """A ledger to write to."""

    def submit(self, drafts: Sequence[Draft], *, actor: str) -> tuple[Entry, ...]:
        """Enter requests: all of them, or none.

        Args:
            drafts: The requests. One that exists already stays as it is.
            actor: Who enters them.

        Returns:
            The requests in their new state, in the drafts' order.

        Raises:
            RequestError: If an id is taken by another request; all such ids are listed.
        """
        with writing(self.engine) as session:
            rows, taken = known_rows(session, [draft.request.id for draft in drafts]), list[str]()
            for draft in drafts:
                if problem := conflict(rows.get(draft.request.id), draft):
                    taken.append(problem)
                elif draft.request.id not in rows:
                    rows[draft.request.id] = self._enter(session, draft, actor)
            if taken:
                raise RequestError("\n".join(taken))
            let_full_go(session, {draft.model for draft in drafts})
            return tuple(entry_of(rows[draft.request.id]) for draft in drafts)

    def _enter(self, session: Session, draft: Draft, actor: str) -> RequestRow:
        """Make a new request's row."""
        received = draft.received or self.clock()
        submission = make_submission(draft.request, model=draft.model, basis=draft.basis, received=received)
        row = row_of_submission(submission)
        row.waits_until = waits_until(submission, batch_of(session, draft.model), self.clock())
        change(session, row, "submit", time=self.clock(), actor=actor, policy=draft.policy)
        return row

    def claim(self, worker: str, rule: Rule = DUE_FIRST, *, lease_s: float = LEASE_S) -> tuple[Entry, ...]:
        """Give a worker what a rule chooses: by default the request that is due first.

        Claims whose lease has expired are ended first, so a killed worker's request can be claimed again.

        Args:
            worker: The worker's name; no two processes share one.
            rule: The rule. What it chooses is served in one run.
            lease_s: The lease, in seconds; ``heartbeat`` extends it.

        Returns:
            The requests, now running, in the rule's order; empty if there is nothing to do.
        """
        with writing(self.engine) as session:
            self._expire(session, actor=worker)
            end_waits(session, self.clock())
            chosen = choose_rows(session, rule)
            for row in chosen:
                row.leader = chosen[0].id
                change(session, row, "claim", time=self.clock(), actor=worker)
                row.attempts += 1
                row.worker, row.lease_until = worker, later(self.clock(), lease_s)
            return tuple(map(entry_of, chosen))

    def heartbeat(self, request: RequestId, worker: str, *, lease_s: float = LEASE_S) -> Entry:
        """Extend a worker's claim; no event, since no state changes.

        Args:
            request: The request's id.
            worker: The worker.
            lease_s: The lease from now, in seconds.

        Returns:
            The request in its new state.

        Raises:
            RequestError: If the claim is not this worker's, or no longer: the worker must stop.
        """
        with writing(self.engine) as session:
            row = held_row(session, request, worker)
            row.lease_until = later(self.clock(), lease_s)
            return entry_of(row)

    def complete(self, request: RequestId, worker: str, *, reason: str | None = None) -> Entry:
        """Record that a worker has served a request.

        Args:
            request: The request's id.
            worker: The worker.
            reason: The result.

        Returns:
            The request in its new state.

        Raises:
            RequestError: If the claim is not this worker's, or no longer.
        """
        return self._finish(request, worker, "complete", reason)

    def fail(self, request: RequestId, worker: str, *, reason: str) -> Entry:
        """Record that a worker could not serve a request.

        Args:
            request: The request's id.
            worker: The worker.
            reason: Why.

        Returns:
            The request in its new state.

        Raises:
            RequestError: If the claim is not this worker's, or no longer.
        """
        return self._finish(request, worker, "fail", reason)

    def _finish(self, request: RequestId, worker: str, action: Action, reason: str | None) -> Entry:
        with writing(self.engine) as session:
            row = held_row(session, request, worker)
            change(session, row, action, time=self.clock(), actor=worker, reason=reason)
            return entry_of(row)

    def cancel(self, request: RequestId, *, actor: str, reason: str) -> Entry:
        """Take back a request that nobody has begun to serve.

        Args:
            request: The request's id.
            actor: Who takes it back.
            reason: Why.

        Returns:
            The request in its new state.

        Raises:
            RequestError: If it does not exist, is in any state but received, or a run of it was interrupted.
        """
        with writing(self.engine) as session:
            row = known_row(session, request)
            if row.state == "received" and row.leader is not None:
                raise RequestError(
                    f"cannot cancel request {request!r}: a run of it was interrupted, and its model may "
                    "already be in use; the next worker resumes it"
                )
            change(session, row, "cancel", time=self.clock(), actor=actor, reason=reason)
            return entry_of(row)

    def retry(self, request: RequestId, *, actor: str, reason: str) -> Entry:
        """Return a failed request to the queue.

        Args:
            request: The request's id.
            actor: Who asks for it.
            reason: Why it should succeed now.

        Returns:
            The request in its new state.

        Raises:
            RequestError: If it does not exist, or has not failed.
        """
        with writing(self.engine) as session:
            row = known_row(session, request)
            change(session, row, "retry", time=self.clock(), actor=actor, reason=reason)
            return entry_of(row)

    def expire(self, *, actor: str) -> tuple[Entry, ...]:
        """End every claim whose lease has expired; its requests wait to be claimed again, or finally fail.

        Args:
            actor: Who checks.

        Returns:
            The requests.
        """
        with writing(self.engine) as session:
            return self._expire(session, actor=actor)

    def _expire(self, session: Session, *, actor: str) -> tuple[Entry, ...]:
        rows = expired_rows(session, self.clock())
        for row in rows:
            self._put_back(session, row, actor=actor, reason=silence_of(row), suspect=True)
        return tuple(entry_of(row) for row in rows)

    def give_back(self, request: RequestId, worker: str, *, reason: str, suspect: bool = False) -> Entry:
        """Return a request to the queue that its worker cannot serve now, but another may later.

        Args:
            request: The request's id.
            worker: The worker.
            reason: Why.
            suspect: The request itself may be the cause; then it fails after ``MOST_ATTEMPTS`` claims.

        Returns:
            The request in its new state: received, or failed.

        Raises:
            RequestError: If the claim is not this worker's, or no longer.
        """
        with writing(self.engine) as session:
            row = held_row(session, request, worker)
            self._put_back(session, row, actor=worker, reason=reason, suspect=suspect)
            return entry_of(row)

    def _put_back(self, session: Session, row: RequestRow, *, actor: str, reason: str, suspect: bool) -> None:
        """End a claim without a result; a request that keeps killing its workers fails in the end."""
        action: Action = "fail" if suspect and row.attempts >= MOST_ATTEMPTS else "expire"
        change(session, row, action, time=self.clock(), actor=actor, reason=reason)
