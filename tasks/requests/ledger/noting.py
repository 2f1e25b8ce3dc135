"""Events about served requests, which change no state: what was erased, and holds."""

from tasks.requests.ledger.database import writing
from tasks.requests.ledger.ledger import Ledger
from tasks.requests.ledger.reading import known_row, last_event
from tasks.requests.ledger.tables import row_of_event, submission_of
from unlearn_core.audit.ledger import next_event
from unlearn_core.records.ledger import LedgerEvent, Notice
from unlearn_core.records.request import RequestId


def note_event(ledger: Ledger, request: RequestId, notice: Notice, *, actor: str, reason: str) -> LedgerEvent:
    """Add an event about a request, whose state stays.

    Args:
        ledger: The ledger; it holds the request.
        request: The request.
        notice: What happened.
        actor: Who did it.
        reason: Why, or what of it.

    Returns:
        The event.
    """
    with writing(ledger.engine) as session:
        row = known_row(session, request)
        event = next_event(
            last_event(session),
            submission_of(row),
            row.state,
            notice,
            time=ledger.clock(),
            actor=actor,
            reason=reason,
        )
        session.add(row_of_event(event))
        session.flush()
    return event


def last_hold(ledger: Ledger, request: RequestId) -> LedgerEvent | None:
    """Return the event with which a request was held; None if it is not."""
    events = [one for one in ledger.history(request)[1] if one.action in {"hold", "release"}]
    return events[-1] if events and events[-1].action == "hold" else None
