"""A pool of processes on the nodes of a Ray cluster, by way of the one process that talks to Ray."""

import json
import subprocess
import tempfile
from contextlib import suppress
from dataclasses import asdict
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from queue import SimpleQueue
from threading import Lock, Thread
from typing import Self

from tasks.checkout.environment import LIBRARY_SETTINGS, OWN_CODE
from tasks.checkout.processes import end_process, start_module
from tasks.checkout.runners import RunnerSettings
from tasks.checkout.variables import inherited
from tasks.running.messages import LOST, STEP, WHY, Message, Messages
from tasks.running.pool import JobPool
from tasks.running.ray_driver import JOB, MODULE, NEEDS, NODES, NUMBER, ROOT
from unlearn_core.errors import SetupError
from unlearn_core.scheduling import Needs, Node, places

DRIVER = "tasks.running.ray_driver"
CLOSE_S = 5.0
"""How long the connection to the cluster may take to be closed before it is cut."""


class ClusterPool(JobPool):
    """Processes on the nodes of a cluster, no more than those hold; a job whose node is lost begins again."""

    def __init__(self, root: Path, module: str, needs: Needs) -> None:
        """Start nothing yet.

        Args:
            root: The project that the processes work in; every node reaches it by this path.
            module: What they run.
            needs: What each job is given.
        """
        self._wanted = {ROOT: str(root.resolve()), MODULE: module, NEEDS: asdict(needs)}
        self._numbers, self._lock = count(), Lock()
        self._listening: dict[int, SimpleQueue[Message]] = {}
        self._nodes: tuple[Node, ...] = ()
        self._listener: Thread | None = None

    def __enter__(self) -> Self:
        """Join the cluster.

        Returns:
            The pool.

        Raises:
            SetupError: If it is not known which cluster, or that one cannot be joined.
        """
        _require_cluster()
        self._errors = tempfile.TemporaryFile()
        self._driver = start_module(
            DRIVER,
            bufsize=0,
            cwd="/",
            env=inherited({**LIBRARY_SETTINGS, **OWN_CODE}),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
        )
        with suppress(BrokenPipeError):  # it ended at once: its last words say why
            self._write(self._wanted)
        assert self._driver.stdout is not None
        first = json.loads(self._driver.stdout.readline() or b"{}")
        if NODES not in first:
            why = first.get(WHY) or self._last_words()
            self.__exit__()
            raise SetupError(
                f"the Ray cluster cannot be joined from this machine: {why}. This machine must be one of its "
                "nodes: `ray start --address=…`; docs/scaling.md says how"
            )
        self._nodes = tuple(Node(**node) for node in first[NODES])
        self._listener = Thread(target=self._listen, daemon=True)
        self._listener.start()
        return self

    def __exit__(self, *_error: object) -> None:
        """Leave the cluster, which ends what was started there, and let nothing more begin."""
        assert self._driver.stdin is not None
        self._driver.stdin.close()
        with suppress(subprocess.TimeoutExpired):
            self._driver.wait(CLOSE_S)
        end_process(self._driver)
        if self._listener is not None:
            self._listener.join()
        with self._driver, self._errors:
            pass

    def told(self, job: bytes) -> Messages:
        """Do a job, and yield all that is told of it."""
        number, queue = next(self._numbers), SimpleQueue[Message]()
        with self._lock:
            self._listening[number] = queue
        try:
            self._write({NUMBER: number, JOB: job.decode()})
        except (OSError, ValueError):
            yield {WHY: "it was not begun, since the connection to the cluster is closed"}
            return
        while True:
            message = queue.get()
            yield message
            if not message.keys() & {STEP, LOST}:
                return

    def nodes(self) -> tuple[Node, ...]:
        """Return the nodes that the cluster had when it was joined."""
        return self._nodes

    def places(self, needs: Needs) -> int:
        """Return how many jobs with these needs the cluster holds.

        Raises:
            SetupError: If none of its nodes holds any.
        """
        if not (held := places(needs, self._nodes)):
            raise SetupError(
                f"no node of the Ray cluster has {needs.cpus} cores, {needs.memory_mib:.0f} MiB and "
                f"{needs.gpus:g} accelerators for a job"
            )
        return held

    def _write(self, line: Message) -> None:
        assert self._driver.stdin is not None
        with self._lock:
            self._driver.stdin.write(json.dumps(line).encode() + b"\n")

    def _listen(self) -> None:
        """Pass each message on to whoever waits for it; if there are no more, tell all of them."""
        assert self._driver.stdout is not None
        for line in self._driver.stdout:
            message = json.loads(line)
            self._listening[message.pop(NUMBER)].put(message)
        why = f"the connection to the cluster was lost: {self._last_words()}"
        with self._lock:
            for queue in self._listening.values():
                queue.put({WHY: why})

    def _last_words(self) -> str:
        """Return the last line that the process which talks to Ray wrote on standard error."""
        self._errors.seek(0)
        *_, last = self._errors.read().decode(errors="replace").strip().splitlines() or ["it said nothing"]
        return last


def _require_cluster() -> None:
    """Refuse to look for a cluster that nobody has named.

    Raises:
        SetupError: If Ray is not installed, or no address is given, or one of Ray's client.
    """
    if find_spec("ray") is None:
        raise SetupError(
            "LETHE_RUNNER is ray, and Ray is not installed; install Lethe with its extra: "
            "pip install 'lethe-unlearning[ray]'"
        )
    address = RunnerSettings.read().ray_address
    if not address or "://" in address:
        raise SetupError(
            f"LETHE_RUNNER is ray, and RAY_ADDRESS is {address!r}; expected HOST:PORT of the cluster's head, "
            "or auto where this machine is one of its nodes"
        )
