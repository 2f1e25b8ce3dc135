"""No process outlives the tests, however they end."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from sweeper import marked

FOLDER = str(Path(__file__).parent)
PROGRAM = f"""
import os, subprocess, sys, time
sys.path[:0] = [{FOLDER!r}, {str(Path(FOLDER).parent)!r}]
from processes import Sweeper
Sweeper(sys.argv[1])
name, value = sys.argv[1].split("=")
in_a_session_of_its_own = "import subprocess; subprocess.run(['sleep', '600'], start_new_session=True)"
subprocess.Popen([sys.executable, "-c", in_a_session_of_its_own], env={{**os.environ, name: value}})
print("started", flush=True)
time.sleep(600)
"""


def until(condition, within_s=20):
    end = time.monotonic() + within_s
    while not condition() and time.monotonic() < end:
        time.sleep(0.05)
    return condition()


def test_what_was_started_ends_although_the_tests_are_killed():
    mark = f"LETHE_TEST_STACK=killed-{os.getpid()}"
    tests = subprocess.Popen([sys.executable, "-c", PROGRAM, mark], stdout=subprocess.PIPE, text=True)
    with tests:
        assert tests.stdout.readline() == "started\n"
        assert until(lambda: len(marked(mark)) == 2)
        tests.send_signal(signal.SIGKILL)
    assert until(lambda: not marked(mark))
