"""Steps of long work, for progress bars and curves."""

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Step:
    """One step of long work.

    Attributes:
        phase: What is being done, e.g. ``"search"`` or ``"epochs"``.
        index: Steps done so far, from 1.
        total: Steps in this phase, at most.
        values: What was measured at this step, by name.
    """

    phase: str
    index: int
    total: int
    values: dict[str, float] = field(default_factory=dict)


OnStep = Callable[[Step], None]


def ignore_step(_step: Step) -> None:
    """Ignore a step."""
