"""What a node of a Ray cluster runs: an actor with a process that does jobs, as on one machine.

The actor itself computes nothing. So a net that breaks off, or that takes all of the memory, ends a process
that can be asked why; and if the actor is lost, its node is, and the job may begin again on another.
"""

import json
from collections.abc import Iterator
from pathlib import Path

from tasks.running.child import Child
from tasks.running.messages import WHY, Messages


class RemoteChild:
    """A ``Child`` on another machine. Takes and gives plain text: nothing of Lethe's is ever pickled."""

    def __init__(self, root: str, module: str, *, on_accelerator: bool) -> None:
        """Start nothing yet."""
        self._root, self._module = Path(root), module
        # What was planned for a processor would find an accelerator that it was not given.
        self._variables = {} if on_accelerator else {"CUDA_VISIBLE_DEVICES": ""}
        self._child: Child | None = None

    def is_placed(self) -> bool:
        """Return that it has a node: else nobody could answer."""
        return True

    def told(self, job: str) -> Iterator[str]:
        """Yield what is told of a job, each message as JSON."""
        for message in self._told(job.encode()):
            yield json.dumps(message)

    def _told(self, job: bytes) -> Messages:
        if not (self._root / "params.yaml").is_file():
            yield {WHY: f"a node of the cluster does not reach the project: it has no {self._root}"}
            return
        if self._child is None:
            self._child = Child(self._root, self._module, **self._variables)
        yield from self._child.told(job)
