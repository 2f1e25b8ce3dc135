"""Names and other text from outside: when two names are one, and how they are shown."""

import unicodedata
from collections import Counter
from collections.abc import Sequence

_UNSEEN = ("C", "Z")
"""The general categories of what controls, separates or has no shape."""

_RAW = {"\n", "\t"}
_HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
"""What controls a terminal or reorders text, and what has no shape: Unicode's general categories."""


def one_form(name: str) -> str:
    """Return a name in Unicode's composed normal form: "é" is one letter, whichever system wrote it."""
    return unicodedata.normalize("NFC", name)


def printable(text: str) -> str:
    r"""Return text that cannot control a terminal, or show its letters in another order.

    Args:
        text: Any text, of one or more lines.

    Returns:
        The same; control characters and the like as ``\x1b`` or ``\u202e``.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(letter if letter in _RAW else _visible(letter) for letter in text)


def one_line(text: str) -> str:
    """Return printable text on one line, so that no name can write a line of its own."""
    return printable(text.replace("\n", " "))


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


def _visible(letter: str) -> str:
    hidden = unicodedata.category(letter) in _HIDDEN
    return letter.encode("unicode_escape").decode() if hidden else letter
