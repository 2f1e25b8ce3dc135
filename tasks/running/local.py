"""A pool of processes on this machine."""

from functools import partial
from pathlib import Path
from typing import Self

from tasks.computing.machine import cores, memory_available_mib
from tasks.running.child import Child
from tasks.running.messages import Messages
from tasks.running.pool import JobPool, JobProcesses
from unlearn_core.scheduling import Needs, Node, places

MEMORY_SHARE = 0.9
"""The share of the available memory that the jobs may take together."""


class LocalPool(JobPool):
    """Processes of this machine, each started when a job finds no other that is free."""

    def __init__(self, root: Path, module: str) -> None:
        """Start nothing yet.

        Args:
            root: The project that the processes work in.
            module: What they run.
        """
        self.processes = JobProcesses(partial(Child, root, module))

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(self, *_error: object) -> None:
        """Kill whatever is still running, and let nothing more begin."""
        self.processes.end()

    def told(self, job: bytes) -> Messages:
        """Do a job, and yield all that is told of it."""
        return self.processes.told(job)

    def nodes(self) -> tuple[Node, ...]:
        """Return this machine, with one accelerator: a process takes the first."""
        return (Node(cores(), MEMORY_SHARE * memory_available_mib(), gpus=1),)

    def places(self, needs: Needs) -> int:
        """Return how many jobs run at once: at least one, even where nothing is to spare."""
        return max(1, places(needs, self.nodes()))
