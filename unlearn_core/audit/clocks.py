"""Times as records write them: on the calendar or not, and which is later by different clocks."""

from datetime import UTC, datetime

from unlearn_core.records.base import UtcTime

TIME = "%Y-%m-%dT%H:%M:%SZ"
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


def is_time(text: str) -> bool:
    """Return whether a text is a time of the calendar, written as all of them are."""
    try:
        return f"{datetime.fromisoformat(text).replace(tzinfo=None).isoformat(timespec='seconds')}Z" == text
    except ValueError:
        return False


def as_time(seconds: int) -> UtcTime:
    """Return a time that git and MLflow count in seconds since 1970."""
    return datetime.fromtimestamp(seconds, UTC).strftime(TIME)
