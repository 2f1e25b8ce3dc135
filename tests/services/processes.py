"""Processes of the stack: each in a session of its own, with a log, ended with all that it started."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from sweeper import marked, sweep

KEPT = ("LANG", "LC_ALL", "PYTHONPATH", "TZ")
ORDINARY = ["env", "--default-signal=INT,TERM,QUIT"]
"""A process that a shell started in its background ignores signals, and so would its children."""


class Process:
    """A program that runs until it is told to stop.

    Attributes:
        name: What it is called in messages.
        log: Where its output goes, of every time that it was started.
    """

    def __init__(self, name, command, environment, folder, *, mark, at=None, asked=signal.SIGTERM):
        self.name, self.command, self.folder = name, command, at or folder
        self.mark = f"LETHE_TEST_PROCESS={mark}-{name}"
        self.environment = {**environment, **dict([self.mark.split("=")])}
        self.log = folder / f"{name}.log"
        self.asked = asked
        self._popen = None

    @property
    def pid(self):
        return self._popen.pid

    def start(self):
        with self.log.open("ab") as log:
            self._popen = subprocess.Popen(
                [*ORDINARY, *self.command],
                env=self.environment,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def running(self):
        return self._popen is not None and self._popen.poll() is None

    def stop(self, *, within_s=20):
        """Ask it to end, wait, and kill whatever of it is left."""
        if self.running():
            self._popen.send_signal(self.asked)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._popen.wait(within_s)
        self.kill()

    def kill(self):
        """Kill it and everything that it started, the hard way."""
        sweep(self.mark)
        if self._popen is not None:
            self._popen.wait()

    def family(self):
        """Return the ids of its processes, those that it started included."""
        return marked(self.mark)

    def tail(self, lines=40):
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        return "\n".join(text.splitlines()[-lines:])


class Sweeper:
    """A process that outlives the tests by a moment, and kills what they leave behind."""

    def __init__(self, mark):
        program = Path(__file__).parents[1] / "sweeper.py"
        self._popen = subprocess.Popen(
            [sys.executable, str(program), mark], stdin=subprocess.PIPE, start_new_session=True
        )

    def sweep(self):
        self._popen.stdin.close()
        assert self._popen.wait(30) == 0


def plain_environment(folder, *paths):
    """Return an environment with nothing of whoever runs the tests but the language and the Python path."""
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    search = [str(Path(sys.executable).parent), *map(str, paths), os.environ["PATH"]]
    return {**kept, "PATH": os.pathsep.join(search), "HOME": str(folder), "PYTHONUNBUFFERED": "1"}


def wait_for(condition, *processes, within_s, what):
    """Wait until a condition holds; whoever ends meanwhile is told with the end of its log."""
    end = time.monotonic() + within_s
    while not condition():
        gone = [process for process in processes if not process.running()]
        assert not gone, f"{gone[0].name} has ended:\n{gone[0].tail()}"
        logs = "\n".join(f"{process.name}:\n{process.tail()}" for process in processes)
        assert time.monotonic() < end, f"{what} took longer than {within_s} s\n{logs}"
        time.sleep(0.2)
