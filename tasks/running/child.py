"""A process of this machine that does one job after the other."""

import json
import os
import signal
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path

from tasks.checkout.checkout import Checkout, short
from tasks.checkout.environment import OWN_CODE
from tasks.checkout.files import write_atomically
from tasks.checkout.processes import end_process, start_module
from tasks.checkout.variables import inherited
from tasks.running.messages import STEP, WHY, Messages
from unlearn_core.records.base import sha256


class Child:
    """A process that runs a module which calls ``do_jobs``; it ends at the latest when this process does.

    To start one takes seconds, for torch alone, which is longer than many a small net's training.
    """

    def __init__(self, root: Path, module: str, **variables: str) -> None:
        """Start the process.

        Args:
            root: The project that it works in.
            module: What it runs.
            variables: What its environment has besides this process's own.
        """
        self._root = root
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115
        # Unbuffered: closing a buffer would raise if the process ended before reading it.
        self.process = start_module(
            module,
            bufsize=0,
            cwd=root,
            env=inherited({**OWN_CODE, **variables}),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
        )

    def placed(self, within_s: float) -> bool:  # noqa: ARG002
        """Return that it has a place to run on: this machine."""
        return True

    def told(self, job: bytes) -> Messages:
        """Give it a job, and yield what it says: steps, and at last the result, or why there is none."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        before = os.fstat(self._errors.fileno()).st_size
        with suppress(BrokenPipeError):  # it ended before it read: its status says more
            self.process.stdin.write(job + b"\n")
        for line in self.process.stdout:
            message = json.loads(line)
            yield message
            if STEP not in message:
                return
        self.process.wait()
        yield {WHY: self._explain(job, before)}

    def kill(self) -> None:
        """Kill it while another thread still listens to it."""
        end_process(self.process)

    def end(self) -> None:
        """End it; nobody listens any more."""
        with self.process, self._errors:
            end_process(self.process)

    def _explain(self, job: bytes, before: int) -> str:
        """Return why it ended without saying so, and keep all that it wrote since the job began."""
        if (code := self.process.returncode) == -signal.SIGKILL:
            return (
                "its process was killed, as a system does when memory runs out; "
                "run it again with a smaller --at-once"
            )
        self._errors.seek(before)
        written = self._errors.read()
        log = Checkout(self._root).lethe / "failures" / f"{short(sha256(job))}.log"
        write_atomically(log, written)
        *_, last = written.decode(errors="replace").strip().splitlines() or ["it wrote nothing"]
        return f"its process ended with status {code}: {last} (all of it: {log})"
