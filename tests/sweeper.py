"""Kill every process that has a mark in its environment, once whoever started this program is gone.

Tests that are killed the hard way cannot clean up, and a run that a worker started is in a session of its
own. The mark is inherited by all of them. Used as a program: ``sweeper.py NAME=VALUE``, until its input ends.
"""

import os
import signal
import sys
import time
from pathlib import Path


def marked(mark):
    """Return the processes with ``NAME=VALUE`` in the environment that they were started with."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            environment = (entry / "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        if mark.encode() in environment:
            found.append(int(entry.name))
    return found


def words_of(process):
    """Return a process, and the words that it was started with; none of one that has ended."""
    try:
        return process, Path(f"/proc/{process}/cmdline").read_text().replace("\0", " ")
    except OSError:
        return process, ""


def sweep(mark):
    """Kill them until none is left: one may start another in between."""
    for _ in range(100):
        processes = marked(mark)
        if not processes:
            return
        for process in processes:
            try:
                os.kill(process, signal.SIGKILL)
            except ProcessLookupError:
                continue
        time.sleep(0.05)
    raise RuntimeError(f"these processes could not be killed: {marked(mark)}")


if __name__ == "__main__":
    sys.stdin.read()
    sweep(sys.argv[1])
