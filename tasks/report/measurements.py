"""Plain words for measurements: each metric's own, and the data that it was measured on."""

from collections.abc import Mapping
from dataclasses import dataclass

from tasks.report.numbers import STYLES, Style
from unlearn_core.metrics import WORDS
from unlearn_core.records.words import Words

_SIDES = {"forget": "the forgotten data", "retain": "the kept data"}
_PARTS = {
    "train": "training samples",
    "audit": "audit samples",
    "test": "test samples",
    "altered": "shifted and noisy samples",
    "canary": "held-out canaries",
}
STATISTICS = {
    "floor": "between two retrained models",
    "mean": "mean",
    "p95": "95 of 100 samples lie below",
}

Vocabulary = Mapping[str, Words]
"""Words by the start of a measurement's name."""


@dataclass(frozen=True)
class Meaning:
    """A measurement's label, what it tells, and how its numbers are written."""

    label: str
    explanation: str
    style: Style


def meaning_of(name: str, others: Vocabulary | None = None) -> Meaning:
    """Return the plain words for a measurement; an unknown one gets its name, and a remark.

    Args:
        name: Dotted, as in ``accuracy.test.forget``.
        others: The words of other packages' metrics.

    Returns:
        The words.
    """
    known = {**(others or {}), **WORDS}
    family = max((one for one in known if f"{name}.".startswith(f"{one}.")), key=len, default=None)
    if family is None:
        words = name.replace(".", " ").replace("_", " ")
        unknown = "There are no plain words for this measurement yet."
        return Meaning(words.capitalize(), unknown, STYLES["count"])
    found, where = known[family], _where(name.removeprefix(family).strip("."))
    label = f"{found.label}{f', {where}' if where else ''}"
    return Meaning(label, found.explanation, STYLES[found.unit])


def family_of(name: str) -> str:
    """Return the first word of a measurement's name, which gives its kind."""
    return name.split(".", 1)[0]


def title_of(family: str, others: Vocabulary | None = None) -> str:
    """Return the plain words for all measurements of a kind; an unknown kind gets its name."""
    known = {**(others or {}), **WORDS}
    titles = [words.title for name, words in known.items() if family_of(name) == family and words.title]
    if titles or family not in known:
        return titles[0] if titles else family.replace("_", " ").capitalize()
    return known[family].label


def _where(rest: str) -> str:
    """Describe the data: ``test.forget`` is the forgotten data, test samples."""
    first, _, others = rest.partition(".")
    if first in STATISTICS:
        return ", ".join(filter(None, (STATISTICS[first], _where(others))))
    lead, _, side = rest.rpartition(".")
    lead, _, part = lead.rpartition(".")
    if part in _PARTS and side in _SIDES:
        told = f"{_SIDES[side]} ({_PARTS[part]})"
        return ", ".join(filter(None, (lead.replace(".", " ").replace("_", " "), told)))
    return rest.replace(".", " ").replace("_", " ")
