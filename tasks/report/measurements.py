"""Plain words for what is measured; a measurement that is not listed here is shown under its own name."""

from dataclasses import dataclass

from tasks.report.numbers import Style, plain
from tasks.report.vocabulary import FAMILIES, GROUPS, PARTS, SIDES, STATISTICS


@dataclass(frozen=True)
class Meaning:
    """What a measurement is called, what it tells, and how its numbers are written."""

    label: str
    explanation: str
    style: Style


def meaning_of(name: str) -> Meaning:
    """Return the plain words for a measurement; of an unknown one its own name, and that it is unknown.

    Args:
        name: Dotted, as in ``accuracy.test.forget``.

    Returns:
        The words.
    """
    family = max((one for one in FAMILIES if f"{name}.".startswith(f"{one}.")), key=len, default=None)
    if family is None:
        words = name.replace(".", " ").replace("_", " ")
        return Meaning(words.capitalize(), "There are no plain words for this measurement yet.", plain)
    label, explanation, style = FAMILIES[family]
    where = _where(name.removeprefix(family).strip("."))
    return Meaning(f"{label}{f', {where}' if where else ''}", explanation, style)


def family_of(name: str) -> str:
    """Return the first word of a measurement's name, which tells what kind it is."""
    return name.split(".", 1)[0]


def title_of(family: str) -> str:
    """Return the plain words for all measurements of a kind; of an unknown one its own name."""
    unknown = family.replace("_", " ").capitalize()
    return GROUPS.get(family) or FAMILIES.get(family, (unknown,))[0]


def _where(rest: str) -> str:
    """Say on which data: ``test.forget`` is the forgotten data, test samples."""
    first, _, others = rest.partition(".")
    if first in STATISTICS:
        return ", ".join(filter(None, (STATISTICS[first], _where(others))))
    part, _, side = rest.partition(".")
    if part in PARTS and side in SIDES:
        return f"{SIDES[side]} ({PARTS[part]})"
    return rest.replace(".", " ").replace("_", " ")
