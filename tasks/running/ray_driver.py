"""The process that talks to Ray: ``python -m tasks.running.ray_driver``, a job per line on standard input.

Ray shows the command line of whoever uses it to the whole cluster, adds its working folder to where all
nodes look for modules, takes over its signals and prints what it likes. A command line of Lethe's may name
a person, and its working folder is somebody's project. So this process has a bare command line, and works in
the root folder.
"""

import json
import logging
import os
import socket
import sys
from contextlib import redirect_stdout
from functools import partial
from threading import Lock, Thread
from typing import IO, Any

from tasks.checkout.runners import RunnerSettings
from tasks.running.messages import WHY, Messages, lines_of, write_message
from tasks.running.pool import JobProcesses, LostNodeError
from tasks.running.remote import RemoteChild
from unlearn_core.scheduling import Needs, Node, places

ROOT, MODULE, NEEDS, NODES, NUMBER, JOB = "root", "module", "needs", "nodes", "number", "job"
"""What is in the first line that is read and in the first that is written, and in each job's line."""

ANSWER_S = 10.0
"""How long the head of the cluster may take to answer."""


class RemoteProcess:
    """A ``RemoteChild``, seen from here."""

    def __init__(self, actor: Any) -> None:
        """Ask whether a node has taken it.

        Args:
            actor: What Ray calls it by.
        """
        self._actor, self._placed = actor, actor.is_placed.remote()

    def placed(self, within_s: float) -> bool:
        """Wait until a node has taken it, or is lost again, and tell whether that is so."""
        import ray

        return bool(ray.wait([self._placed], timeout=within_s)[0])

    def told(self, job: bytes) -> Messages:
        """Do a job, and yield all that is told of it.

        Args:
            job: The job.

        Yields:
            The messages.

        Raises:
            LostNodeError: If it is gone with its node.
        """
        import ray
        from ray.exceptions import OutOfMemoryError, RayActorError, RayError

        try:
            for one in self._actor.told.options(num_returns="streaming").remote(job.decode()):
                yield json.loads(ray.get(one))
        except OutOfMemoryError:
            yield {WHY: "a node ran out of memory; run it again with a smaller --at-once"}
        except RayActorError as error:
            if error.actor_init_failed:
                yield {WHY: f"a node cannot run Lethe: {_last_line(error)}"}
            else:
                raise LostNodeError("its node was lost") from None
        except RayError as error:
            yield {WHY: f"Ray: {_last_line(error)}"}

    def kill(self) -> None:
        """End it, and its process with it."""
        import ray

        ray.kill(self._actor)

    end = kill


def main() -> None:
    """Join the cluster, say what it has, and do the jobs that are read until there are no more."""
    import ray

    out, lines = sys.stdout, lines_of(0)
    with redirect_stdout(sys.stderr):
        wanted = json.loads(next(lines))
        try:
            address = RunnerSettings.read().ray_address
            _require_answer(address)
            ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
        except Exception as error:
            write_message(out, {WHY: _last_line(error)})
            return
        write_message(out, {NODES: [vars(node) for node in _nodes()]})
        processes = _processes(wanted[ROOT], wanted[MODULE], Needs(**wanted[NEEDS]))
        answer = partial(_answer, processes, out, Lock())
        for line in lines:
            Thread(target=answer, kwargs=json.loads(line), daemon=True).start()
        ray.shutdown()
        os._exit(0)


def _require_answer(address: str) -> None:
    """Raise ``OSError`` if nobody listens there: Ray itself would try for minutes."""
    host, _, port = address.rpartition(":")
    if host:
        socket.create_connection((host, int(port)), ANSWER_S).close()


def _processes(root: str, module: str, needs: Needs) -> JobProcesses:
    """Return the processes of the cluster: no more than its nodes hold."""
    import ray

    actor = ray.remote(RemoteChild).options(
        num_cpus=needs.cpus,
        num_gpus=needs.gpus,
        memory=int(needs.memory_mib * 2**20),
        scheduling_strategy="SPREAD",
    )

    def start() -> RemoteProcess:
        return RemoteProcess(actor.remote(root, module, on_accelerator=needs.gpus > 0))

    return JobProcesses(start, lambda: places(needs, _nodes()))


def _nodes() -> list[Node]:
    """Return what each node that is alive gives to jobs."""
    import ray

    alive = [one["Resources"] for one in ray.nodes() if one["Alive"]]
    return [Node(one.get("CPU", 0), one.get("memory", 0) / 2**20, one.get("GPU", 0)) for one in alive]


def _answer(processes: JobProcesses, out: IO[str], lock: Lock, *, number: int, job: str) -> None:
    """Do a job, and pass on what is told of it; whoever waits for it hears of every error."""
    try:
        for message in processes.told(job.encode()):
            with lock:
                write_message(out, {NUMBER: number, **message})
    except Exception as error:
        with lock:
            write_message(out, {NUMBER: number, WHY: _last_line(error)})


def _last_line(error: Exception) -> str:
    *_, last = str(error).strip().splitlines() or [type(error).__name__]
    return last


if __name__ == "__main__":
    main()
