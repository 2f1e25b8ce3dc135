"""The ledger recomputed: is every event, and every request, as it was written?

The chain is walked to its first broken event, since nothing after it can be relied on. If it holds, it is
replayed, and every request that is not as its events say is named.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from unlearn_core.audit.clocks import is_later, is_time
from unlearn_core.audit.deadlines import due_days
from unlearn_core.audit.ledger import is_move
from unlearn_core.errors import EvidenceError
from unlearn_core.kinds import RequestState
from unlearn_core.names import one_line
from unlearn_core.records.base import Sha256, UtcTime
from unlearn_core.records.ledger import Entry, LedgerEvent
from unlearn_core.records.request import RequestId


@dataclass(frozen=True)
class _Standing:
    """A request's state according to the events alone."""

    state: RequestState
    attempts: int
    submission: Sha256
    sequence: int
    entered: UtcTime


def check_ledger(
    events: Iterable[tuple[LedgerEvent, Sha256]],
    entries: Iterable[Entry],
    damaged: Mapping[RequestId, str] | None = None,
    now: UtcTime | None = None,
) -> Sha256 | None:
    """Recompute the chain, replay it, and compare the result with the requests' states.

    Args:
        events: Every event in the order of the ledger, with the digest that is stored with it.
        entries: Every request in its present state.
        damaged: What is wrong with requests that cannot be read, by id.
        now: The current time, which nothing in the ledger may be after; None if it is not known.

    Returns:
        The head; None of an empty ledger.

    Raises:
        EvidenceError: If anything is not as it was written; the message names the first broken event, or else
            every request that its events do not account for.
    """
    head, standings, damaged = None, dict[RequestId, _Standing](), damaged or {}
    for event, stored in events:
        if problem := _broken(event, stored, head, standings.get(event.request), now):
            raise EvidenceError(f"the ledger is broken at event {event.sequence}: {problem}")
        standings[event.request] = _after(event, standings.get(event.request))
        head = event
    by_id = {entry.id: entry for entry in entries}
    problems = list(damaged.values())
    for request in sorted((standings.keys() | by_id.keys()) - damaged.keys()):
        problems += _problems(request, by_id.get(request), standings.get(request))
    if problems:
        raise EvidenceError("\n".join(map(one_line, problems)))
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
        f"{event.action} does not lead from {event.before} to {event.after}": not is_move(
            event.action, event.before, event.after
        ),
        "it names another submission than the events before": standing is not None
        and standing.submission != event.submission,
        f"its time, {event.time}, is not on the calendar": not is_time(event.time),
    }
    if problem := next((problem for problem, found in problems.items() if found), None):
        return problem
    if now is not None and is_later(event.time, now):
        return f"it happened at {event.time}, in the future (it is {now}); is a clock wrong?"
    if head is not None and is_later(head.time, event.time):
        return f"time runs backwards: it is of {event.time}, the event before of {head.time}"
    return None


def _after(event: LedgerEvent, standing: _Standing | None) -> _Standing:
    attempts = (0 if standing is None else standing.attempts) + (event.action == "claim")
    entered = event.time if standing is None else standing.entered
    return _Standing(event.after, attempts, event.submission, event.sequence, entered)


def _problems(request: RequestId, entry: Entry | None, standing: _Standing | None) -> Iterator[str]:
    """Say why a request is not what its events account for, if so."""
    if standing is None:
        yield f"request {request!r} is in the ledger without an event"
        return
    said = f"event {standing.sequence}, the last of request {request!r}, "
    if entry is None:
        yield f"{said}belongs to a request that is gone"
        return
    if (entry.state, entry.attempts) != (standing.state, standing.attempts):
        yield (
            f"{said}left it {standing.state} after {standing.attempts} attempts; "
            f"it is {entry.state} after {entry.attempts}"
        )
    if entry.submission.digest != standing.submission:
        yield f"{said}names {standing.submission}; what was asked for has changed"
    yield from (f"request {request!r}: {problem}" for problem in _misdated(entry, standing))


def _misdated(entry: Entry, standing: _Standing) -> Iterator[str]:
    """Say which day or time of a request does not follow from the others."""
    asked = entry.submission
    if asked.due not in (days := due_days(asked.basis, asked.received)):
        follows = f"is due on {days[0]}" if days else "was received at no time of the calendar"
        yield f"it is said to be due on {asked.due}; what {asked.basis} gives for {asked.received} {follows}"
    if is_later(asked.received, standing.entered):
        yield f"it was received at {asked.received}, after it was entered at {standing.entered}"
