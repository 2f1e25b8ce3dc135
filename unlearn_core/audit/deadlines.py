"""When a deletion request was received, and by which day it is due.

- ``gdpr``: one month from receipt, GDPR Art. 12(3). Months are counted as in Regulation (EEC, Euratom)
  No 1182/71, Art. 3(2)(c): the same day of the next month, or its last day where it has no such day. Art.
  3(4), which extends a period that ends on a holiday, Saturday or Sunday to the next working day, is
  deliberately not used: holidays differ by country, and being early harms nobody.
- ``ccpa``: 45 calendar days from receipt, California Civil Code § 1798.130(a)(2)(A).

Extensions, which both laws allow if the person is told why, are not granted here.

Nobody knows where a requester lives, so a day is taken as it is where that is earliest. A time of receipt
before noon, UTC, was still the day before in the west (UTC-12), and counts from there; a receipt without a
time of day is the requester's own day. The due day is over when it is over in the east (UTC+14), at 10:00
UTC. So a request is never due later than where the requester lives, and may be due a few days earlier.
"""

from calendar import monthrange
from datetime import UTC, date, datetime, timedelta

from unlearn_core.audit.clocks import TIME, is_time
from unlearn_core.errors import RequestError
from unlearn_core.kinds import Basis
from unlearn_core.records.base import UtcTime
from unlearn_core.records.ledger import Day

CCPA_DAYS = 45
DAY_ALONE = "T00:00:00Z"
"""The time of day of a receipt of which only the day is known."""
NOON = "T12:00:00Z"
"""From then on, UTC, no place on earth has the day before."""
ENDS_FIRST = "T10:00:00Z"
"""When a day ends, UTC, where it ends first: in UTC+14."""


EAST_S = 14 * 3600
"""By how much a day begins earlier where it begins first, in UTC+14."""


def earliest_receipt(received: UtcTime) -> UtcTime:
    """Return the earliest time of a receipt: where only the day is known, when that begins in UTC+14."""
    return later(received, -EAST_S) if received.endswith(DAY_ALONE) else received


def due_day(basis: Basis, received: UtcTime) -> Day:
    """Return the last day on which a request can be served in time.

    Args:
        basis: The law.
        received: When the request was received.

    Returns:
        The day; it counts to its end where that is first.
    """
    day = date.fromisoformat(received[:10])
    return _counted(basis, day - timedelta(days=1) if DAY_ALONE < received[10:] < NOON else day)


def due_days(basis: Basis, received: UtcTime) -> tuple[Day, ...]:
    """Return the due days that a ledger may hold: today's, and the first ledgers', which counted in UTC.

    Args:
        basis: The law.
        received: When the request was received.

    Returns:
        The days; none if there was no such time.
    """
    if not is_time(received):
        return ()
    try:
        return due_day(basis, received), _counted(basis, date.fromisoformat(received[:10]))
    except (ValueError, OverflowError):
        return ()  # beyond the last year of the calendar


def _counted(basis: Basis, day: date) -> Day:
    """Return the last day of a law's time from a day on."""
    return (_month_later(day) if basis == "gdpr" else day + timedelta(days=CCPA_DAYS)).isoformat()


def _month_later(day: date) -> date:
    """Return the same day of the next month, or the last one that it has."""
    year, month = day.year + day.month // 12, day.month % 12 + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))


def is_overdue(due: Day, now: UtcTime) -> bool:
    """Return whether the last day is over, where it ends first."""
    return now >= f"{due}{ENDS_FIRST}"


def parse_day(text: str) -> Day:
    """Read a day.

    Args:
        text: As ``2026-11-20``.

    Returns:
        The day.

    Raises:
        RequestError: If it is not a day; the message does not repeat the text.
    """
    if not is_time(f"{text}{DAY_ALONE}"):
        raise RequestError("not a day of the calendar; expected one like 2026-11-20")
    return text


def parse_received(text: str, now: UtcTime) -> UtcTime:
    """Read when a request was received.

    Args:
        text: A day, which counts from its start, or a time in UTC, as ``2026-11-20T09:30:00Z``.
        now: The current time; no request can be received after it.

    Returns:
        The time.

    Raises:
        RequestError: If it is neither, or in the future; the message does not repeat the text.
    """
    time = text if "T" in text else f"{text}{DAY_ALONE}"
    if not is_time(time):
        raise RequestError("not a day or a time; expected one like 2026-11-20 or 2026-11-20T09:30:00Z (UTC)")
    if time > now:
        raise RequestError(f"in the future; it is {now} now (UTC)")
    return time


def later(time: UtcTime, seconds: float) -> UtcTime:
    """Return the time some seconds later."""
    then = datetime.strptime(time, TIME).replace(tzinfo=UTC) + timedelta(seconds=seconds)
    return then.strftime(TIME)
