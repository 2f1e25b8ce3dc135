"""How many trainings run side by side, and how long they take together."""

import heapq
from collections.abc import Sequence


def places(wanted: int, *, threads: int, cores: int, memory: float, accelerator: bool) -> int:
    """Return how many trainings run at once: at least one, and only one on an accelerator.

    Args:
        wanted: How many there are, or may be at once.
        threads: How many each of them uses.
        cores: How many the machine has.
        memory: How many trainings its memory holds.
        accelerator: Whether they run on one.
    """
    if accelerator:
        return 1
    return max(1, min(wanted, cores // threads, int(memory)))


def makespan(durations: Sequence[float], workers: int) -> float:
    """Return when the last of some jobs ends, where each begins, in order, as soon as a worker is free."""
    free = [0.0] * workers
    for seconds in durations:
        heapq.heapreplace(free, free[0] + seconds)
    return max(free)
