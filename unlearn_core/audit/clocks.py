"""Which of two times is later, when they were told by different clocks."""

from datetime import UTC, datetime

from unlearn_core.records.base import UtcTime

CLOCK_TOLERANCE_S = 300
"""By how many seconds two clocks may disagree."""


def is_later(time: UtcTime, other: UtcTime) -> bool:
    """Return whether a time is later than another, whichever of the two clocks may be wrong.

    Args:
        time: The time.
        other: The other time.

    Returns:
        Whether it is later by more than ``CLOCK_TOLERANCE_S``; True if one of them is not on the calendar.
    """
    try:
        ahead = datetime.fromisoformat(time) - datetime.fromisoformat(other)
    except ValueError:
        return True
    return ahead.total_seconds() > CLOCK_TOLERANCE_S


def as_time(seconds: int) -> UtcTime:
    """Return a time that git gives in seconds since 1970."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
