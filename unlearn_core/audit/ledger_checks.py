"""The ledger recomputed: is every event, and every request, as it was written?

The chain is walked to its first broken event, since nothing after it can be relied on. If it holds, it is
replayed, and every request that is not as its events say is named.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from unlearn_core.audit.batching import latest_start
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
        entries: Every request in its present state; none is kept, so there may be many.
        damaged: What is wrong with requests that cannot be read, by id; complete once ``entries`` are read.
        now: The current time, which nothing in the ledger may be after; None if it is not known.

    Returns:
        The head; None of an empty ledger.

    Raises:
        EvidenceError: If anything is not as it was written; the message names the first broken event, or else
            every request that its events do not account for.
    """
    head: _Head | None = None
    standings, worked_on = dict[RequestId, _Standing](), dict[RequestId, str]()
    damaged = {} if damaged is None else damaged
    for event, stored in events:
        if problem := _broken(event, stored, head, standings.get(event.request), now):
            raise EvidenceError(f"the ledger is broken at event {event.sequence}: {problem}")
        if event.action == "begin" and event.before == "cancelled":
            begun = f"work on it began at {event.time} (event {event.sequence})"
            worked_on.setdefault(event.request, f"request {event.request!r} was cancelled, and then {begun}")
        standings[event.request] = _after(event, standings.get(event.request))
        head = _Head(event.sequence, stored, event.time)
    found = _accounted(entries, standings)
    problems = [*damaged.values(), *worked_on.values()]
    problems += [found[request] for request in sorted(found.keys() - damaged.keys())]
    if problems:
        raise EvidenceError("\n".join(map(one_line, problems)))
    return None if head is None else head.digest


@dataclass(frozen=True)
class _Head:
    """The last event that holds: its digest is the one that is stored with it."""

    sequence: int
    digest: Sha256
    time: UtcTime


def _accounted(entries: Iterable[Entry], standings: Mapping[RequestId, _Standing]) -> Mapping[RequestId, str]:
    """Return what is wrong with each request that is not what its events account for."""
    gone, found = set(standings), dict[RequestId, str]()
    for entry in entries:
        gone.discard(entry.id)
        if problems := "\n".join(_problems(entry.id, entry, standings.get(entry.id))):
            found[entry.id] = problems
    return found | {one: "\n".join(_problems(one, None, standings[one])) for one in gone}


def _broken(
    event: LedgerEvent,
    stored: Sha256,
    head: _Head | None,
    standing: _Standing | None,
    now: UtcTime | None,
) -> str | None:
    """Say what is wrong with an event, given all before it."""
    expected = 1 if head is None else head.sequence + 1
    state = None if standing is None else standing.state
    if event.sequence != expected:
        return f"event {expected} was expected here"
    if event.digest != stored:
        return "its content does not have the digest that is stored with it"
    if event.previous != (None if head is None else head.digest):
        return "it does not carry the digest of the event before"
    if event.before != state:
        return f"request {event.request!r} was {state or 'not there'} before it"
    return _out_of_place(event, standing) or _mistimed(event, head, now)


def _out_of_place(event: LedgerEvent, standing: _Standing | None) -> str | None:
    """Say why an event cannot follow what happened to its request before."""
    if not is_move(event.action, event.before, event.after):
        return f"{event.action} does not lead from {event.before} to {event.after}"
    if standing is not None and standing.submission != event.submission:
        return "it names another submission than the events before"
    return None


def _mistimed(event: LedgerEvent, head: _Head | None, now: UtcTime | None) -> str | None:
    """Say what is wrong with the time of an event."""
    if not is_time(event.time):
        return f"its time, {event.time}, is not on the calendar"
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
    elif entry.waits_until is not None and entry.waits_until > (latest := latest_start(asked.due)):
        yield f"it waits for others until {entry.waits_until}; its due day allows {latest} at the latest"
    if is_later(asked.received, standing.entered):
        yield f"it was received at {asked.received}, after it was entered at {standing.entered}"
