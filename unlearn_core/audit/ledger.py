"""The rules of the ledger: which state may follow which, and a chain that shows every later change.

::

    submit → received ── claim → running ── complete → completed
               │  ▲                │ │
               │  ├──── expire ────┘ └───── fail ────→ failed
               │  └─────────────────────── retry ────────┘
               └── cancel → cancelled

Each event carries the digest of the one before, over its canonical JSON. So the digest of the last one, the
*head*, stands for all of them: whoever has kept a head can tell whether anything up to it was changed or cut
off.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pydantic import ValidationError

from unlearn_core.audit.clocks import is_later
from unlearn_core.audit.deadlines import due_day
from unlearn_core.errors import EvidenceError, RequestError
from unlearn_core.kinds import Basis, RequestState
from unlearn_core.records.base import Sha256, UtcTime, describe
from unlearn_core.records.ledger import Action, Entry, LedgerEvent, Submission
from unlearn_core.records.request import DeletionRequest, RequestId

MOVES: Mapping[Action, tuple[RequestState | None, RequestState]] = {
    "submit": (None, "received"),
    "claim": ("received", "running"),
    "complete": ("running", "completed"),
    "fail": ("running", "failed"),
    "expire": ("running", "received"),
    "retry": ("failed", "received"),
    "cancel": ("received", "cancelled"),
}
"""The state that each action leads to from each state. All else is refused."""


def move(request: RequestId, state: RequestState | None, action: Action) -> RequestState:
    """Return the state that an action leads to.

    Args:
        request: The request's id, for the message.
        state: The state that it is in; None for a new one.
        action: What is to be done.

    Returns:
        The next state.

    Raises:
        RequestError: If the action is not for this state.
    """
    before, after = MOVES[action]
    if state == before:
        return after
    possible = [name for name, (left, _) in MOVES.items() if left == state]
    allowed = f"from there only {' or '.join(possible)} is possible" if possible else "that is final"
    raise RequestError(f"cannot {action} request {request!r}: it is {state or 'not there'}, and {allowed}")


def make_submission(request: DeletionRequest, *, model: str, basis: Basis, received: UtcTime) -> Submission:
    """Return what is asked for, with the day on which it is due.

    Args:
        request: Who or what is to be forgotten.
        model: The registered model that is to forget.
        basis: The law that the request rests on.
        received: When it was received.

    Returns:
        The submission.

    Raises:
        RequestError: If the model's name is not valid.
    """
    due = due_day(basis, received)
    try:
        return Submission(request=request, model=model, basis=basis, received=received, due=due)
    except ValidationError as error:
        raise RequestError(describe(f"request {request.id!r}", error)) from error


def next_event(
    head: LedgerEvent | None,
    submission: Submission,
    state: RequestState | None,
    action: Action,
    *,
    time: UtcTime,
    actor: str,
    reason: str | None,
) -> LedgerEvent:
    """Return the event that an action adds to the ledger.

    Args:
        head: The last event; None in an empty ledger.
        submission: What was asked for.
        state: The state that the request is in; None for a new one.
        action: What is done.
        time: When.
        actor: Who does it.
        reason: Why.

    Returns:
        The event.

    Raises:
        RequestError: If the action is not for this state, or actor or reason is not a line of text.
    """
    after = move(submission.request.id, state, action)
    try:
        return LedgerEvent(
            sequence=1 if head is None else head.sequence + 1,
            time=time,
            request=submission.request.id,
            action=action,
            actor=actor,
            before=state,
            after=after,
            reason=reason,
            submission=submission.digest,
            previous=None if head is None else head.digest,
        )
    except ValidationError as error:
        raise RequestError(describe("the event", error)) from error


@dataclass(frozen=True)
class _Standing:
    """A request's state according to the events alone."""

    state: RequestState
    attempts: int
    submission: Sha256
    sequence: int
    submitted: UtcTime


def check_ledger(
    events: Iterable[tuple[LedgerEvent, Sha256]], entries: Iterable[Entry], now: UtcTime | None = None
) -> Sha256 | None:
    """Recompute the chain, replay it, and compare the result with the requests' states.

    Args:
        events: Every event in the order of the ledger, with the digest that is stored with it.
        entries: Every request in its present state.
        now: The current time, which nothing in the ledger may be after; None if it is not known.

    Returns:
        The head; None of an empty ledger.

    Raises:
        EvidenceError: If anything is not as it was written; the message names the first broken event.
    """
    head, standings = None, dict[RequestId, _Standing]()
    for event, stored in events:
        if problem := _broken(event, stored, head, standings.get(event.request), now):
            raise EvidenceError(f"the ledger is broken at event {event.sequence}: {problem}")
        standings[event.request] = _after(event, standings.get(event.request))
        head = event
    by_id = {entry.id: entry for entry in entries}
    for request in sorted(standings.keys() | by_id.keys()):
        _compare(request, by_id.get(request), standings.get(request))
    return None if head is None else head.digest


def _broken(
    event: LedgerEvent,
    stored: Sha256,
    head: LedgerEvent | None,
    standing: _Standing | None,
    now: UtcTime | None,
) -> str | None:
    """Say what is wrong with an event, given all before it."""
    expected = 1 if head is None else head.sequence + 1
    state = None if standing is None else standing.state
    problems = {
        f"event {expected} was expected here": event.sequence != expected,
        "its content does not have the digest that is stored with it": event.digest != stored,
        "it does not carry the digest of the event before": event.previous
        != (None if head is None else head.digest),
        f"request {event.request!r} was {state or 'not there'} before it": event.before != state,
        f"{event.action} does not lead from {event.before} to {event.after}": (event.before, event.after)
        != MOVES[event.action],
        "it names another submission than the events before": standing is not None
        and standing.submission != event.submission,
        f"it happened at {event.time}, in the future (it is {now}); is a clock wrong?": now is not None
        and is_later(event.time, now),
    }
    return next((problem for problem, found in problems.items() if found), None)


def _after(event: LedgerEvent, standing: _Standing | None) -> _Standing:
    attempts = (0 if standing is None else standing.attempts) + (event.action == "claim")
    submitted = event.time if standing is None else standing.submitted
    return _Standing(event.after, attempts, event.submission, event.sequence, submitted)


def _compare(request: RequestId, entry: Entry | None, standing: _Standing | None) -> None:
    """Refuse a request that its events do not account for."""
    if standing is None:
        raise EvidenceError(f"request {request!r} is in the ledger without an event")
    said = f"event {standing.sequence}, the last of request {request!r}, "
    if entry is None:
        raise EvidenceError(f"{said}belongs to a request that is gone")
    if (entry.state, entry.attempts) != (standing.state, standing.attempts):
        raise EvidenceError(
            f"{said}left it {standing.state} after {standing.attempts} attempts; "
            f"it is {entry.state} after {entry.attempts}"
        )
    if entry.submission.digest != standing.submission:
        raise EvidenceError(f"{said}names {standing.submission}; what was asked for has changed")
    if is_later(received := entry.submission.received, standing.submitted):
        raise EvidenceError(
            f"request {request!r} was entered at {standing.submitted}, before it was received: {received}"
        )
