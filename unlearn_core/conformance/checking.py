"""A check: a function that yields every reason why something does not pass it."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

Check = Callable[[Any], Iterator[str]]
"""Its name, with blanks for underscores, completes the sentence "It …"."""


@dataclass(frozen=True)
class Checked:
    """The result of one check.

    Attributes:
        check: What was checked, as a sentence about the class.
        where: In which scope; empty where the scope does not matter.
        reasons: Everything that was found against it.
        made: Whether the check could be made at all.
    """

    check: str
    where: str
    reasons: tuple[str, ...] = ()
    made: bool = True


def said(check: Check) -> str:
    """Return a check's name as words."""
    return check.__name__.strip("_").replace("_", " ")


def reasons_of(check: Check, case: object) -> tuple[str, ...]:
    """Make a check; an error that ends it becomes its reason."""
    found: list[str] = []
    try:
        found.extend(check(case))
    except Exception as error:  # whatever somebody else's code raises
        found.append(f"{type(error).__name__}: {' '.join(str(error).split())}")
    return tuple(found)


def made(checks: Iterable[Check], case: object, where: str = "") -> Iterator[Checked]:
    """Make checks one after the other."""
    return (Checked(said(check), where, reasons_of(check, case)) for check in checks)


def not_made(checks: Iterable[Check], where: str = "") -> Iterator[Checked]:
    """List checks that could not be made, since something before them failed."""
    return (Checked(said(check), where, made=False) for check in checks)


def numpy_state() -> tuple[Any, ...]:
    """Return the state of numpy's global generator, in values that can be compared."""
    name, keys, *place = np.random.get_state()
    return (name, keys.tobytes(), *place)  # pyright: ignore
