"""What somebody who misspelt a name may have meant."""

from collections.abc import Iterable
from difflib import get_close_matches
from heapq import nlargest
from itertools import takewhile
from operator import eq

from unlearn_core.names import told_apart

_MOST_COMPARED, _LONGEST = 500, 1_000
"""Names that are compared letter by letter, and letters of one: more would take seconds."""

ALIKE = 0.6
"""How alike two names must be, from 0 to 1, before one is suggested for the other."""


def did_you_mean(typed: str, known: Iterable[str], *, alike: float = ALIKE) -> str:
    """Return the start of a hint, to be followed by what else there is to say.

    Args:
        typed: A name that is not known.
        known: Those that are.
        alike: How alike they must be.

    Returns:
        ``did you mean NAME? ``, with the nearest name; empty if none is near.
    """
    if len(typed) > _LONGEST:
        return ""
    names = sorted(name for name in known if len(name) <= _LONGEST)
    if len(names) > _MOST_COMPARED:
        names = nlargest(_MOST_COMPARED, names, key=lambda name: _ends_shared(typed, name))
    near = get_close_matches(typed, names, n=1, cutoff=alike)
    return f"did you mean {told_apart(near)}? " if near else ""


def _ends_shared(one: str, other: str) -> int:
    """Return how many letters two names share at their starts and at their ends."""
    return sum(sum(takewhile(bool, map(eq, a, b))) for a, b in ((one, other), (one[::-1], other[::-1])))
