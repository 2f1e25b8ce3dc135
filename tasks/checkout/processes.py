"""Processes that end with the one that started them, however that ends: all long-lived ones start here.

Each runs a Python module in a session of its own. A terminal's Ctrl-C is then for the program that was typed,
which ends what it has started; a process that finds itself without its parent ends itself and its session.
"""

import os
import runpy
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from threading import Event, Thread
from typing import Any

_LOOK_EVERY_S = 0.2
_started: set["subprocess.Popen[bytes]"] = set()


def start_module(module: str, *arguments: str, **options: Any) -> "subprocess.Popen[bytes]":
    """Start a Python module as a process that ends with this one.

    Args:
        module: The module; it must be importable where the process starts.
        arguments: Its command line.
        options: As for ``subprocess.Popen``.

    Returns:
        The process; ``end_process`` ends it.
    """
    command = [sys.executable, "-m", __name__, str(os.getpid()), module, *arguments]
    process = subprocess.Popen[bytes](command, start_new_session=True, **options)
    _started.add(process)
    return process


def end_process(process: "subprocess.Popen[bytes]") -> None:
    """Kill a process that was started here, and all that it has started; wait until it has ended."""
    _started.discard(process)
    if process.poll() is None:
        _kill_session(process.pid)
        process.wait()


def end_processes() -> None:
    """Kill all that this process has started, and wait for nothing."""
    for process in tuple(_started):
        if process.poll() is None:
            _kill_session(process.pid)


def end_with(parent: int, end: Callable[[], None]) -> None:
    """Watch from now on whether this process still has its parent.

    Args:
        parent: The number of the process that should be its parent.
        end: Called on another thread once it is not; it ends this process.
    """
    # A process whose parent has ended belongs to another one at once, on Linux as on macOS.
    Thread(target=_watch, args=(parent, end), daemon=True).start()


def end_at_once() -> None:
    """End this process as SIGKILL does: nothing waits, and nothing is printed."""
    os.kill(os.getpid(), signal.SIGKILL)


def _watch(parent: int, end: Callable[[], None]) -> None:
    pause = Event()
    while os.getppid() == parent:
        pause.wait(_LOOK_EVERY_S)
    end()


def _kill_session(leader: int) -> None:
    """Kill the processes of a session; its leader's number is that of their group."""
    with suppress(ProcessLookupError):
        os.killpg(leader, signal.SIGKILL)


def _run_module() -> None:
    """Be the process that ``start_module`` starts: watch its parent, and run its module."""
    parent, module = int(sys.argv[1]), sys.argv[2]
    end_with(parent, lambda: _kill_session(os.getpid()))
    del sys.argv[1:3]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    _run_module()
