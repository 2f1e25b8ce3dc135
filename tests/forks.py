"""``lethe`` in forks of one process that has loaded its libraries: many runs at little cost."""

import json
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

PATIENCE_S = 300


@dataclass
class Forks:
    """A process whose forks are ``lethe``."""

    folder: Path
    environment: dict[str, str]
    log: Path = field(init=False)
    pid: int = field(init=False)

    def __post_init__(self):
        self.log = self.folder / "log"
        # Not from the program's own folder, which has a folder ``tasks`` for the tests of that package.
        program = [sys.executable, "-P", str(Path(__file__).with_name("forked_lethe.py"))]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "bufsize": 1}
        self._forks = subprocess.Popen(program, env=self.environment, **pipes)
        self.pid = self._forks.pid
        self._said()

    def begin(self, root, *arguments):
        """Start ``lethe`` in a folder; return its process."""
        self.log.unlink(missing_ok=True)
        self.log.touch()
        asked = {"folder": str(root), "arguments": arguments, "log": str(self.log)}
        self._forks.stdin.write(json.dumps(asked) + "\n")
        return int(self._said())

    def ended(self):
        """Wait for the last one, and return its exit code."""
        return int(self._said())

    def lethe(self, root, *arguments):
        """Run ``lethe`` in a folder; return its exit code, and all that it wrote."""
        self.begin(root, *arguments)
        return self.ended(), self.log.read_text()

    def reached(self, words, pid):
        """Wait until the log has come to some words; tell whether the process still runs."""
        end = time.monotonic() + PATIENCE_S
        while words not in self.log.read_text() and is_running(pid):
            assert time.monotonic() < end, self.log.read_text()
            time.sleep(0.01)
        return is_running(pid)

    def close(self):
        self._forks.communicate()

    def _said(self):
        line = self._forks.stdout.readline()
        assert line, "the forking process has ended"
        return line


def is_running(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
