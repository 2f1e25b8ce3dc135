"""Names of classes, samples and subjects: when two are one, and how those that look alike are shown."""

import unicodedata
from collections import Counter
from collections.abc import Sequence

_UNSEEN = ("C", "Z")
"""The general categories of what controls, separates or has no shape."""


def one_form(name: str) -> str:
    """Return a name in Unicode's composed normal form: "é" is one letter, whichever system wrote it."""
    return unicodedata.normalize("NFC", name)


def told_apart(names: Sequence[str], *, among: Sequence[str] = ()) -> str:
    r"""Return names as a list in which none can be taken for another.

    Args:
        names: The names.
        among: Other names, shown beside these.

    Returns:
        The names, with commas; one that looks like another, or holds what cannot be seen, is in quotes, with
        all but plain letters as ``\xa0``.
    """
    looks = Counter(_look(name) for name in {*names, *among})
    return ", ".join(ascii(one) if looks[_look(one)] > 1 or _hides(one) else one for one in names)


def _look(name: str) -> str:
    """Return what a reader may see of a name: no case, no white space, no letter's other forms."""
    plain = unicodedata.normalize("NFKC", name).casefold()
    return "".join(letter for letter in plain if unicodedata.category(letter)[0] not in _UNSEEN)


def _hides(name: str) -> bool:
    """Tell whether a name has white space at its ends, or a letter that is not seen or not a plain blank."""
    odd = (unicodedata.category(letter)[0] in _UNSEEN for letter in name if letter != " ")
    return name != name.strip() or any(odd) or name != one_form(name)
