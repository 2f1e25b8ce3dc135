"""Servers and stages end with whoever started them, also when that is killed."""

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest
from sweeper import marked, words_of
from tiny import make_tiny
from world import NOISE

pytestmark = [
    *NOISE,
    pytest.mark.long,
    pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks for processes in /proc"),
]

PATIENCE_S = 120


def begin(folder, *command):
    """Start a program of this environment; all that comes of it carries the folder as a mark."""
    programs = Path(sys.executable).parent
    path = os.pathsep.join([str(programs), os.environ["PATH"]])
    own = {"PATH": path, "PREFECT_HOME": str(folder.with_name("prefect")), "LETHE_TEST_PROCESS": str(folder)}
    full = [str(programs / command[0]), *command[1:]]
    silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    return subprocess.Popen(full, cwd=folder, env={**os.environ, **own}, start_new_session=True, **silent)


def running(folder):
    """Return the command lines of what carries the folder as a mark."""
    return [words for _, words in map(words_of, marked(f"LETHE_TEST_PROCESS={folder}"))]


def wait_until(holds):
    end = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)


def answers(port):
    with closing(socket.socket()) as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL], ids=lambda one: one.name)
def test_mlflows_pages_end_with_the_command(own_folders, tmp_path, number):
    project = make_tiny(tmp_path / "project")
    # Below the ports of outgoing connections: asking one of those may connect it to itself.
    port = next(port for port in range(20_000 + os.getpid() % 5_000, 32_000) if not answers(port))
    process = begin(project, "lethe", "ui", "--port", str(port))
    wait_until(lambda: answers(port))
    process.send_signal(number)
    began = time.monotonic()
    assert process.wait(PATIENCE_S) == (0 if number == signal.SIGINT else -number)
    assert time.monotonic() - began < 3
    wait_until(lambda: not running(project) and not answers(port))


def test_a_stage_ends_with_the_dvc_that_started_it(own_folders, tmp_path):
    project = make_tiny(tmp_path / "project")
    process = begin(project, "dvc", "repro", "code")
    wait_until(lambda: any("stage code" in words for words in running(project)))
    process.kill()
    process.wait()
    began = time.monotonic()
    wait_until(lambda: not running(project))
    assert time.monotonic() - began < 10
