"""Parallel trainings, each in a separate process; one that fails does not stop the others."""

import json
import os
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from contextvars import copy_context
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Self

from tasks.checkout.checkout import Checkout, short
from tasks.checkout.environment import OWN_CODE
from tasks.checkout.files import write_atomically
from tasks.checkout.processes import end_process, start_module
from tasks.checkout.variables import inherited
from tasks.references.training_process import RESULT, STEP, WHY
from unlearn_core.errors import LetheError, PipelineError
from unlearn_core.progress import OnStep, Step, ignore_step
from unlearn_core.records.reference import Job

MODULE = "tasks.references.training_process"


@dataclass(frozen=True)
class JobResult:
    """How a job ended.

    Attributes:
        job: The job.
        seconds: From the start of its process to the end.
        result: The process's result, as a JSON value; None if it failed.
        why: Why it failed; None if it did not.
    """

    job: Job
    seconds: float
    result: Any = None
    why: str | None = None


@dataclass(frozen=True)
class _Trainer:
    """A process that does one job after the other.

    Attributes:
        process: The process.
        errors: What it writes on standard error.
    """

    process: subprocess.Popen[bytes]
    errors: IO[bytes]

    def written(self) -> int:
        """Return how many bytes it has written on standard error."""
        return os.fstat(self.errors.fileno()).st_size

    def do(self, job: Job, on_step: OnStep) -> dict[str, Any]:
        """Give it a job, pass its steps on, and return its last message; none if it ended without one."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        with suppress(BrokenPipeError):  # it ended before it read: its status says more
            self.process.stdin.write(job.canonical() + b"\n")
        for line in self.process.stdout:
            told = json.loads(line)
            if STEP not in told:
                return told
            on_step(Step(**told[STEP]))
        return {}

    def end(self) -> None:
        """End it, unless it ends by itself now that nothing more comes."""
        with self.process, self.errors:
            assert self.process.stdin is not None
            self.process.stdin.close()
            self.process.wait()
            end_process(self.process)


class ProcessPool:
    """Processes that end at the latest when the block does; whoever is free does the next job.

    To start one takes seconds, for torch alone, which is longer than many a small net's training.
    """

    def __init__(self, root: Path) -> None:
        """Start nothing yet."""
        self._root = root
        self._at_work: set[subprocess.Popen[bytes]] = set()
        self._free: list[_Trainer] = []
        self._lock = threading.Lock()
        self._over = False

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(self, *_error: object) -> None:
        """Kill whatever is still running, and let nothing more begin."""
        with self._lock:
            self._over = True
            for process in self._at_work:
                end_process(process)
            for trainer in self._free:
                trainer.end()

    def do(self, job: Job, on_step: OnStep = ignore_step) -> Any:
        """Do a job in a separate process.

        Args:
            job: What to do.
            on_step: Called for its steps, on this thread.

        Returns:
            The process's result, as a JSON value.

        Raises:
            PipelineError: If it failed or was killed; the message says why.
        """
        trainer = self._take()
        before = trainer.written()
        try:
            told = trainer.do(job, on_step)
        except BaseException:
            self._end(trainer)
            raise
        if RESULT in told:
            self._give_back(trainer)
            return told[RESULT]
        trainer.process.wait()
        why = told.get(WHY) or self._explain(job, trainer, before)
        self._end(trainer)
        raise PipelineError(why)

    def _take(self) -> _Trainer:
        """Return a process that is free, or a new one."""
        with self._lock:
            if self._over:
                raise PipelineError("it was not begun, since the others were ended")
            trainer = self._free.pop() if self._free else self._start()
            self._at_work.add(trainer.process)
            return trainer

    def _give_back(self, trainer: _Trainer) -> None:
        with self._lock:
            self._at_work.discard(trainer.process)
            if not self._over:
                self._free.append(trainer)
                return
        trainer.end()

    def _end(self, trainer: _Trainer) -> None:
        trainer.end()
        with self._lock:
            self._at_work.discard(trainer.process)

    def _start(self) -> _Trainer:
        errors = tempfile.TemporaryFile()  # noqa: SIM115
        # Unbuffered: closing a buffer would raise if the process ended before reading it.
        process = start_module(
            MODULE,
            bufsize=0,
            cwd=self._root,
            env=inherited(OWN_CODE),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
        )
        return _Trainer(process, errors)

    def _explain(self, job: Job, trainer: _Trainer, before: int) -> str:
        """Return why a process ended without reporting, and keep all that it wrote since the job began."""
        if (code := trainer.process.returncode) == -signal.SIGKILL:
            return (
                "its process was killed, as a system does when memory runs out; "
                "run it again with a smaller --at-once"
            )
        trainer.errors.seek(before)
        written = trainer.errors.read()
        log = Checkout(self._root).lethe / "failures" / f"{short(job.training.digest)}.log"
        write_atomically(log, written)
        *_, last = written.decode(errors="replace").strip().splitlines() or ["it wrote nothing"]
        return f"its process ended with status {code}: {last} (all of it: {log})"


def side_by_side(work: Callable[[Job], Any], jobs: Sequence[Job], *, at_once: int) -> list[JobResult]:
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


def _try(work: Callable[[Job], Any], job: Job) -> JobResult:
    started = time.perf_counter()
    try:
        result, why = work(job), None
    except (LetheError, OSError) as error:
        result, why = None, str(error)
    return JobResult(job, time.perf_counter() - started, result, why)
