"""How the page writes numbers: percentages with one decimal, intervals in brackets."""

from collections.abc import Callable

from unlearn_core.records.evaluation import Measurement
from unlearn_core.records.words import Unit

Style = Callable[[float], str]

NONE = "–"
_THIN, _MINUS = "\u202f", "\u2212"


def percent(value: float) -> str:
    """Write a fraction: 0.1234 as 12.3 %."""
    return f"{_signed(100 * value, 1)}{_THIN}%"


def points(value: float) -> str:
    """Write a difference of two fractions: 0.04 as +4.0 points."""
    plus = "+" if round(100 * value, 1) > 0 else ""
    return f"{plus}{_signed(100 * value, 1)} points"


def decimal(value: float) -> str:
    """Write a number with two decimals."""
    return _signed(value, 2)


def _plain(value: float) -> str:
    """Write a number of unknown kind with four significant digits."""
    return f"{value:.4g}".replace("-", _MINUS)


STYLES: dict[Unit, Style] = {"fraction": percent, "difference": points, "number": decimal, "count": _plain}
"""How each kind of number is written."""


def count(value: int) -> str:
    """Write a whole number: 12345 as 12 345."""
    return f"{value:,}".replace(",", _THIN)


def counted(number: int, one: str, many: str) -> str:
    """Write a number of things: 1 image, 12 images."""
    return f"{count(number)} {one if number == 1 else many}"


def duration(seconds: float) -> str:
    """Write a time: 4.2 seconds, 3.5 minutes, 2.1 hours."""
    for size, name in ((3600, "hours"), (60, "minutes")):
        if seconds >= size:
            return f"{seconds / size:.1f} {name}"
    return f"{seconds:.1f} seconds"


def times(ratio: float) -> str:
    """Write a factor: 12 or 0.8."""
    return f"{ratio:.0f}" if ratio >= 10 else f"{ratio:.1f}"


def allowed_range(lowest: float | None, highest: float | None, style: Style) -> str:
    """Write an allowed range: between two bounds, or on one side of one."""
    if lowest is None and highest is None:
        return "anything"
    if lowest is None or highest is None:
        return f"at most {style(highest)}" if lowest is None else f"at least {style(lowest)}"  # pyright: ignore
    return f"{style(lowest)} to {style(highest)}"


def interval(entry: Measurement | None, style: Style) -> str:
    """Write the 95 % interval of a measurement in brackets; nothing if there is none."""
    if entry is None or entry.low is None or entry.high is None:
        return ""
    low, high = (
        style(bound).removesuffix(f"{_THIN}%").removesuffix(" points") for bound in (entry.low, entry.high)
    )
    return f"[{low}, {high}]"


def _signed(value: float, digits: int) -> str:
    """Write a number with a true minus sign, and zero without one."""
    text = f"{value:.{digits}f}"
    return text.lstrip("-") if float(text) == 0 else text.replace("-", _MINUS)
