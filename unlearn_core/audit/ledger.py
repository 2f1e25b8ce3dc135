"""The rules of the ledger: which state may follow which, and a chain that shows every later change.

::

    submit → received ── claim → running ── complete → completed
               │  ▲                │ │
               │  ├──── expire ────┘ └───── fail ────→ failed
               │  └─────────────────────── retry ────────┘
               └── cancel → cancelled

A run of a request, by a worker or a person, adds ``begin`` and ``end``, and a judgement of a model that was
handed in adds ``judge``. None of them changes a state, and no run begins of what was cancelled. ``purge``, of
which there is one for each store, ``hold`` and ``release`` change none either.

Each event carries the digest of the one before, over its canonical JSON. So the digest of the last one, the
*head*, stands for all of them: whoever has kept a head can tell whether anything up to it was changed or cut
off. ``audit.ledger_checks`` recomputes all of it.
"""

from collections.abc import Mapping
from typing import Any, Protocol, get_args

from pydantic import ValidationError

from unlearn_core.audit.clocks import is_later
from unlearn_core.audit.deadlines import due_day
from unlearn_core.errors import RequestError, SetupError
from unlearn_core.kinds import Basis, RequestState
from unlearn_core.records.base import Sha256, UtcTime, describe
from unlearn_core.records.ledger import Action, LedgerEvent, Notice, Submission
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

UNMOVING: tuple[Action, ...] = ("begin", "end", "judge", *get_args(Notice))
"""What is recorded in whatever state the request is: of a run, a judgement, and what happens after it was
served."""


class Link(Protocol):
    """An event as the next one is chained to it."""

    @property
    def sequence(self) -> int:
        """Its place in the ledger."""
        ...

    @property
    def digest(self) -> Sha256:
        """Its digest."""
        ...

    @property
    def time(self) -> UtcTime | None:
        """When it happened; None if that is not known."""
        ...


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
    before, after = _way(action, state)
    if state == before and after is not None and not (action == "begin" and state == "cancelled"):
        return after
    possible = [name for name, (left, _) in MOVES.items() if left == state]
    allowed = f"from there only {' or '.join(possible)} is possible" if possible else "that is final"
    raise RequestError(f"cannot {action} request {request!r}: it is {state or 'not there'}, and {allowed}")


def is_move(action: Action, before: RequestState | None, after: RequestState) -> bool:
    """Tell whether an action leads from one state to another."""
    return (before, after) == _way(action, before)


def _way(action: Action, state: RequestState | None) -> tuple[RequestState | None, RequestState | None]:
    """Return the state that an action is for, and the one that it leads to."""
    return (state, state) if action in UNMOVING else MOVES[action]


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
        raise RequestError(describe(f"request {request.id!r}", error, quotes=False)) from error


def next_event(
    head: Link | None,
    submission: Submission,
    state: RequestState | None,
    action: Action,
    *,
    time: UtcTime,
    actor: str,
    reason: str | None,
    **of_a_run: Any,
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
        of_a_run: The event's ``policy``, ``run`` and ``deletion``, as far as it has them.

    Returns:
        The event.

    Raises:
        RequestError: If the action is not for this state, or actor or reason is not a line of text.
        SetupError: If the last event is of a later time: the chain would be broken for ever.
    """
    after = move(submission.request.id, state, action)
    if head is not None and head.time is not None and is_later(head.time, time):
        raise SetupError(
            f"this machine's clock says {time}, and the last event of the ledger is of {head.time}: one of "
            "them is wrong, and nothing was recorded. Set the clock right; if it is, wait until then"
        )
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
            **of_a_run,
        )
    except ValidationError as error:
        raise RequestError(describe("the event", error, quotes=False)) from error
