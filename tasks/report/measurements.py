"""Plain words for measurements: each metric's own, and the data that it was measured on."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from tasks.report.numbers import STYLES, Style
from tasks.report.vocabulary import piece_words
from unlearn_core.metrics import WORDS
from unlearn_core.records.words import Words

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
    found, (where, _) = known[family], piece_words(name.removeprefix(family).strip("."))
    return Meaning(", ".join((found.label, *where)), found.explanation, STYLES[found.unit])


def in_plain_words(text: str, others: Vocabulary | None = None) -> str:
    """Write the names of measurements in a sentence from the records in plain words.

    Args:
        text: The sentence.
        others: The words of other packages' metrics.

    Returns:
        The sentence; a name that no metric measures stays.
    """
    known = {**(others or {}), **WORDS}

    def spelled(found: re.Match[str]) -> str:
        name = found[0]
        is_known = any(f"{name}.".startswith(f"{one}.") for one in known)
        return f"“{meaning_of(name, others).label}”" if is_known else name

    return re.sub(r"(?<![\w.])\w+(?:\.\w+)+", spelled, text)


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
