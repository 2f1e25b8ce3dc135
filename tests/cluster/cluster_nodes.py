"""The program ``ray_nodes.py``, seen from whoever starts it."""

import os
import subprocess
import sys
from pathlib import Path

PROGRAM = Path(__file__).with_name("ray_nodes.py")
TRIES = 3
"""Ray gives a node half a minute to start, which a busy machine may not keep."""


class Nodes:
    """A cluster of nodes with one core each; the address is for ``RAY_ADDRESS``."""

    def __init__(self, log, *, count):
        for _ in range(TRIES):
            self._log = log.open("wb")
            self._program = subprocess.Popen(
                [sys.executable, str(PROGRAM), str(count)],
                cwd="/",
                env={**os.environ, "RAY_USAGE_STATS_ENABLED": "0"},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._log,
                text=True,
            )
            self.address = self._program.stdout.readline().strip()
            if self.address:
                return
            self.close()
        raise AssertionError(log.read_text())

    def ask(self, word):
        """Give an order, and return the answer."""
        self._program.stdin.write(f"{word}\n")
        self._program.stdin.flush()
        return self._program.stdout.readline().strip()

    def close(self):
        """Stop all nodes."""
        with self._program, self._log:
            self._program.stdin.close()
            self._program.wait(60)
