"""Parallel trainings, each in a separate process; one that fails does not stop the others."""

import json
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


class ProcessPool:
    """Processes that end at the latest when the block does."""

    def __init__(self, root: Path) -> None:
        """Start nothing yet."""
        self._root = root
        self._at_work: set[subprocess.Popen[bytes]] = set()
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
        with tempfile.TemporaryFile() as errors, self._start(errors) as process:
            told = _listen(process, job, on_step)
            process.wait()
            end_process(process)
            with self._lock:
                self._at_work.discard(process)
            if RESULT not in told:
                raise PipelineError(told.get(WHY) or self._explain(job, process.returncode, errors))
            return told[RESULT]

    def _start(self, errors: IO[bytes]) -> subprocess.Popen[bytes]:
        with self._lock:
            if self._over:
                raise PipelineError("it was not begun, since the others were ended")
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
            self._at_work.add(process)
            return process

    def _explain(self, job: Job, code: int, errors: IO[bytes]) -> str:
        """Return why a process ended without reporting, and keep all that it wrote."""
        if code == -signal.SIGKILL:
            return (
                "its process was killed, as a system does when memory runs out; "
                "run it again with a smaller --at-once"
            )
        errors.seek(0)
        written = errors.read()
        log = Checkout(self._root).lethe / "failures" / f"{short(job.training.digest)}.log"
        write_atomically(log, written)
        *_, last = written.decode(errors="replace").strip().splitlines() or ["it wrote nothing"]
        return f"its process ended with status {code}: {last} (all of it: {log})"


def _listen(process: subprocess.Popen[bytes], job: Job, on_step: OnStep) -> dict[str, Any]:
    """Give a process its job, pass its steps on, and return its last message."""
    assert process.stdin is not None
    assert process.stdout is not None
    told: dict[str, Any] = {}
    with suppress(BrokenPipeError):  # it ended before it read: its status says more
        process.stdin.write(job.canonical() + b"\n")
        process.stdin.flush()
    for line in process.stdout:
        told = json.loads(line)
        if STEP in told:
            on_step(Step(**told[STEP]))
    return told


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
