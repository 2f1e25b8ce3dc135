"""Processes that end with the one that started them, however that ends."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sweeper import marked

from tasks.checkout import processes

pytestmark = pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks for processes in /proc")

PATIENCE_S = 30
CHILD = """
import subprocess, sys, time
subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])
print(sys.argv[1:], flush=True)
time.sleep(600)
"""
PARENT = """
import sys, time
from tasks.checkout.processes import start_module
start_module('waiting', 'a', 'b')
time.sleep(600)
"""


@pytest.fixture
def waiting(tmp_path, monkeypatch):
    """A module that starts a process of its own and waits, where Python finds it."""
    (tmp_path / "waiting.py").write_text(CHILD)
    paths = [str(tmp_path), str(Path(__file__).parents[3])]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(paths))
    monkeypatch.setenv("LETHE_TEST_PROCESS", str(tmp_path))
    return tmp_path


def alive(folder):
    """Return the running processes that carry a folder as a mark, this one left out."""
    return marked(f"LETHE_TEST_PROCESS={folder}")


def wait_for(holds):
    end = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT], ids=lambda one: one.name)
def test_what_was_started_ends_with_a_parent_that_a_signal_ends(waiting, number):
    with subprocess.Popen(
        [sys.executable, "-c", PARENT], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as parent:
        try:
            assert parent.stdout.readline() == b"['a', 'b']\n"
            wait_for(lambda: len(alive(waiting)) == 3)
            parent.send_signal(number)
            parent.wait(PATIENCE_S)
            wait_for(lambda: not alive(waiting))
        finally:
            parent.kill()


def test_ending_a_process_ends_what_it_has_started(waiting):
    process = processes.start_module("waiting", stdout=subprocess.PIPE)
    process.stdout.readline()
    assert len(alive(waiting)) == 2
    processes.end_process(process)
    assert process.returncode == -signal.SIGKILL
    wait_for(lambda: not alive(waiting))
    process.stdout.close()


def test_a_terminals_interrupt_is_not_for_what_was_started(waiting):
    process = processes.start_module("waiting", stdout=subprocess.PIPE)
    process.stdout.readline()
    assert os.getpgid(process.pid) == process.pid != os.getpgid(0)
    processes.end_processes()
    assert process.wait(PATIENCE_S) == -signal.SIGKILL
    process.stdout.close()
