"""What somebody who misspelt a name may have meant."""

from collections.abc import Iterable
from difflib import get_close_matches

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
    near = get_close_matches(typed, sorted(known), n=1, cutoff=alike)
    return f"did you mean {near[0]}? " if near else ""
