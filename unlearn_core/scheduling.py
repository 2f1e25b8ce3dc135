"""How many jobs run side by side, and how long they take together."""

import heapq
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Needs:
    """What a job is given while it runs.

    Attributes:
        cpus: The threads that it computes with.
        memory_mib: Its peak memory; 0 if that is not known yet.
        gpus: Its share of an accelerator, or how many it takes; 0 if it runs on none.
    """

    cpus: int
    memory_mib: float = 0.0
    gpus: float = 0.0


@dataclass(frozen=True)
class Node:
    """What a machine gives to jobs: cores, memory, accelerators."""

    cpus: float
    memory_mib: float
    gpus: float = 0.0


def places(needs: Needs, nodes: Iterable[Node]) -> int:
    """Return how many jobs with the same needs some machines hold together; each runs on one of them."""
    return sum(_held(needs, node) for node in nodes)


def _held(needs: Needs, node: Node) -> int:
    pairs = (
        (node.cpus, needs.cpus),
        (node.memory_mib, needs.memory_mib),
        (node.gpus, needs.gpus),
    )
    return min(int(there / needed) for there, needed in pairs if needed)


def makespan(durations: Sequence[float], workers: int) -> float:
    """Return when the last of some jobs ends, where each begins, in order, as soon as a worker is free."""
    free = [0.0] * workers
    for seconds in durations:
        heapq.heapreplace(free, free[0] + seconds)
    return max(free)
