"""A pool of processes that do jobs, and jobs side by side in it; one that fails does not stop the others."""

import math
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from contextvars import copy_context
from dataclasses import dataclass
from typing import Any, Generic, Protocol, Self, TypeVar

from tasks.checkout.log import warn
from tasks.running.messages import LOST, RESULT, STEP, WHY, Messages
from unlearn_core.errors import LetheError, PipelineError
from unlearn_core.progress import OnStep, Step, ignore_step
from unlearn_core.records.base import Record
from unlearn_core.scheduling import Needs, Node

MOST_TRIES = 4
"""How often a job is begun at most: nodes that are lost one after the other are no accident."""

LOOK_EVERY_S, PLACE_S = 1.0, 10.0
"""How often a job that waits for a place looks whether there is one, and how long it insists on a new one."""

_Job = TypeVar("_Job")


class JobPool(ABC):
    """Does jobs in other processes, from any number of threads; all of them end when the block does."""

    @abstractmethod
    def __enter__(self) -> Self:
        """Begin."""

    @abstractmethod
    def __exit__(self, *_error: object) -> None:
        """End whatever is still running, and let nothing more begin."""

    @abstractmethod
    def told(self, job: bytes) -> Messages:
        """Do a job, and yield all that is told of it."""

    @abstractmethod
    def nodes(self) -> tuple[Node, ...]:
        """Return what there is to run on."""

    @abstractmethod
    def places(self, needs: Needs) -> int:
        """Return how many jobs with these needs run at once."""

    def do(self, job: Record, on_step: OnStep = ignore_step) -> Any:
        """Do a job.

        Args:
            job: What to do.
            on_step: Called for its steps, on this thread.

        Returns:
            The result, as a JSON value.

        Raises:
            PipelineError: If it failed or was killed; the message says why.
        """
        with closing(self.told(job.canonical())) as messages:
            for message in messages:
                if STEP in message:
                    on_step(Step(**message[STEP]))
                elif LOST in message:
                    warn("· a node was lost; what it was doing begins again on another")
                elif RESULT in message:
                    return message[RESULT]
                else:
                    raise PipelineError(message[WHY])
        raise PipelineError("it ended without a result")


class LostNodeError(Exception):
    """What did the job is gone with the node that it was on; the job is to blame for nothing."""


class JobProcess(Protocol):
    """Does one job after the other, somewhere."""

    def placed(self, within_s: float) -> bool:
        """Wait until it has a place to run on, and tell whether it has."""
        ...

    def told(self, job: bytes) -> Messages:
        """Do a job, and yield all that is told of it; may raise ``LostNodeError``."""
        ...

    def kill(self) -> None:
        """End it while another thread still listens to it."""

    def end(self) -> None:
        """End it; nobody listens any more."""


class JobProcesses:
    """The processes of a pool: whoever is free does the next job."""

    def __init__(self, start: Callable[[], JobProcess], most: Callable[[], float] = lambda: math.inf) -> None:
        """Start none yet.

        Args:
            start: Starts one.
            most: Tells how many there may be, asked anew for each: nodes come and go.
        """
        self._start, self._most = start, most
        self._at_work: set[JobProcess] = set()
        self._free: list[JobProcess] = []
        self._changed = threading.Condition()
        self._over = False

    def told(self, job: bytes) -> Messages:
        """Do a job as ``JobPool.told`` does; where its process is lost, another one begins it again."""
        for left in reversed(range(MOST_TRIES)):
            process, last = self._take(), None
            try:
                for message in process.told(job):
                    if STEP not in message:
                        last = message
                        break
                    yield message
            except LostNodeError as error:
                self._end(process)
                if not left or self._over:
                    yield {WHY: f"{error}; it was begun {MOST_TRIES - left} times"}
                    return
                yield {LOST: str(error)}
                time.sleep(LOOK_EVERY_S)  # until the node is known to be lost
                continue
            except BaseException:
                self._end(process)
                raise
            assert last is not None
            self._give_back(process) if RESULT in last else self._end(process)
            yield last
            return

    def end(self) -> None:
        """Kill whatever is at work, and let nothing more begin."""
        with self._changed:
            self._over = True
            for process in self._at_work:
                process.kill()
            for process in self._free:
                process.end()
            self._changed.notify_all()

    def _take(self) -> JobProcess:
        """Return a process that is free, or a new one; wait while there may be no more."""
        with self._changed:
            while not self._free and not self._over and len(self._at_work) >= self._most():
                self._changed.wait(LOOK_EVERY_S)
            process = self._next()
        asked = time.monotonic()
        while not process.placed(LOOK_EVERY_S):
            # The place that it waits for may be that of one which is free.
            if self._free and time.monotonic() - asked > PLACE_S:
                self._end(process)
                return self._take()
        return process

    def _next(self) -> JobProcess:
        """Return a process that is free, or start one; the caller has the lock.

        Raises:
            PipelineError: If all were ended.
        """
        if self._over:
            raise PipelineError("it was not begun, since the others were ended")
        process = self._free.pop() if self._free else self._start()
        self._at_work.add(process)
        return process

    def _give_back(self, process: JobProcess) -> None:
        with self._changed:
            self._at_work.discard(process)
            if not self._over:
                self._free.append(process)
                self._changed.notify_all()
                return
        process.end()

    def _end(self, process: JobProcess) -> None:
        process.end()
        with self._changed:
            self._at_work.discard(process)
            self._changed.notify_all()


@dataclass(frozen=True)
class JobResult(Generic[_Job]):
    """How a job ended.

    Attributes:
        job: The job.
        seconds: From its beginning to its end, with the start of a process if it took one.
        result: The result, as a JSON value; None if it failed.
        why: Why it failed; None if it did not.
    """

    job: _Job
    seconds: float
    result: Any = None
    why: str | None = None


def side_by_side(work: Callable[[_Job], Any], jobs: Sequence[_Job], *, at_once: int) -> list[JobResult[_Job]]:
    """Do jobs in parallel threads, started in order; a failure is recorded and stops no other.

    Args:
        work: Does one job; it sees the context variables of the caller.
        jobs: What to do.
        at_once: How many at a time.

    Returns:
        How each ended, in the order of the jobs.
    """
    pool = ThreadPoolExecutor(max(1, at_once))
    try:
        futures = [pool.submit(copy_context().run, _try, work, job) for job in jobs]
        return [future.result() for future in futures]
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _try(work: Callable[[_Job], Any], job: _Job) -> JobResult[_Job]:
    started = time.perf_counter()
    try:
        result, why = work(job), None
    except (LetheError, OSError) as error:
        result, why = None, str(error)
    return JobResult(job, time.perf_counter() - started, result, why)
