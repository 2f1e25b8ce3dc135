"""Where the time of a deletion went, and whether a retraining would have been cheaper."""

from tasks.report.numbers import duration, times
from unlearn_core.records.evaluation import TimeSpent

PARTS = {
    "split": "resolving the request and checking the data",
    "training": "training models to compare with",
    "methods": "the methods tried, with their searches",
    "measuring": "measuring the models",
    "certificate": "certificate, registration and report",
}
"""The parts of a deletion's time, in words."""


def time_rows(spent: TimeSpent | None) -> list[tuple[str, str]]:
    """Return each part of a deletion's time that took any, and the total, in words."""
    if spent is None:
        return []
    rows = [(PARTS[part], duration(seconds)) for part, seconds in spent.parts.items() if seconds]
    return [*rows, ("all of it", duration(spent.total))]


def time_lines(spent: TimeSpent | None) -> list[str]:
    """Return where a deletion's time went, beside the price of one retraining, as lines for a terminal."""
    if spent is None:
        return []
    parts = (f"{part} {duration(seconds)}" for part, seconds in spent.parts.items() if seconds)
    one = [] if spent.retraining is None else [f"retraining   {duration(spent.retraining)}, for one model"]
    return [f"time         {duration(spent.total)}: {', '.join(parts)}", *one]


def worth(spent: TimeSpent | None) -> str:
    """Answer, from a deletion's own numbers, why the retrained model was not simply released.

    Args:
        spent: Where the deletion's time went.

    Returns:
        A few sentences; none if that, or what a retraining takes, is unknown.
    """
    if spent is None or spent.retraining is None:
        return ""
    told = f"This deletion took {duration(spent.total)}, one retraining {duration(spent.retraining)}."
    if spent.training:
        told += (
            f" Of that, {duration(spent.training)} went into training models to compare with, one of which "
            "could have been released instead. They are kept for whatever else is judged by them."
        )
    rest = spent.total - spent.training
    if rest >= spent.retraining:
        return f"{told} Retraining alone would have been as fast: here it is the simpler way."
    without = "Without them, the deletion" if spent.training else "The deletion"
    return f"{told} {without} was {times(spent.retraining / rest)} times as fast as retraining."
