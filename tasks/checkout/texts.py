"""Names and other text from outside, as they may be shown: one function for each place.

A terminal, an HTML page and a figure get ``printable`` text, a cell of a table ``one_line``, a page of MLflow
or Prefect ``in_markdown``. The markup of HTML, rich and matplotlib is turned off where each is called.
"""

import html
import re
import unicodedata

_RAW = {"\n", "\t"}
_HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
"""What controls a terminal or reorders text, and what has no shape: Unicode's general categories."""


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


def in_markdown(text: str) -> str:
    """Return text as text for Markdown, also in a table's cell: no markup, no HTML, one line."""
    plain = html.escape(" ".join(one_line(text).split()), quote=False)
    return re.sub(r"([\\|`*_\[\]#~$])", r"\\\1", plain)


def _visible(letter: str) -> str:
    hidden = unicodedata.category(letter) in _HIDDEN
    return letter.encode("unicode_escape").decode() if hidden else letter
