"""Ctrl-C and other ways to end a command: in time, with one line, and with a status that says which."""

import json
import signal
import subprocess
import sys
import time

import pytest

SIGNALS = pytest.mark.parametrize(
    "number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda one: one.name
)
BEGIN = """
import sys, time
from flows.cli.interrupts import Interrupts
with Interrupts().heard():
    print("ready", flush=True)
"""
SLEEPS = "    time.sleep(60)"
HANGS = """
    while True:
        try:
            time.sleep(60)
        except KeyboardInterrupt:
            pass
"""
CLEANS_UP = """
    try:
        time.sleep(60)
    finally:
        print("cleaned up", flush=True)
"""
FAILS = """
    try:
        time.sleep(60)
    except KeyboardInterrupt:
        raise ConnectionError("this is how a library puts it")
"""
SERVES = """
    try:
        time.sleep(60)
    except KeyboardInterrupt:
        pass
"""
AT_ONCE_S, IN_TIME_S = 0.8, 2.5
"""Less than the time to unwind, and a little more than the whole."""


def broken_off(body, *numbers, arguments=(), before=""):
    """Run a command's body, and send signals; return exit code, output, error, and seconds from the first."""
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, "-c", before + BEGIN + body, *arguments], **streams) as process:
        assert process.stdout.readline() == "ready\n"
        time.sleep(0.3)  # it has begun to sleep
        began = time.monotonic()
        for number in numbers:
            process.send_signal(number)
            time.sleep(0.1)
        out, err = process.communicate(timeout=30)
        return process.returncode, out, err, time.monotonic() - began


@SIGNALS
def test_a_signal_ends_a_command_with_one_line(number):
    code, out, err, _ = broken_off(SLEEPS, number)
    assert (code, out) == (128 + number, "")
    assert err.startswith("lethe: interrupted: what is finished is kept")
    assert err.count("\n") == 1


@pytest.mark.parametrize("body", [SLEEPS, FAILS])
def test_it_ends_as_soon_as_the_work_has_unwound(body):
    code, _, err, took_s = broken_off(body, signal.SIGINT)
    assert (code, err.count("\n")) == (130, 1)
    assert took_s < AT_ONCE_S


def test_what_cleans_up_after_itself_does_so():
    assert broken_off(CLEANS_UP, signal.SIGINT)[:2] == (130, "cleaned up\n")


@SIGNALS
def test_work_that_does_not_stop_is_ended_in_time(number):
    code, _, err, took_s = broken_off(HANGS, number)
    assert (code, err.count("\n")) == (128 + number, 1)
    assert took_s < IN_TIME_S


def test_a_second_interrupt_ends_it_at_once():
    code, _, err, took_s = broken_off(HANGS, signal.SIGINT, signal.SIGINT)
    assert (code, err.count("\n")) == (130, 1)
    assert took_s < AT_ONCE_S


@pytest.mark.parametrize("end", ["", "    sys.exit(0)"])
def test_what_runs_until_interrupted_has_nothing_to_say(end):
    assert broken_off(SERVES + end, signal.SIGINT)[:3] == (0, "", "")


def test_an_interrupt_is_json_too_where_json_was_asked_for():
    code, out, err, _ = broken_off(SLEEPS, signal.SIGINT, arguments=["--json"])
    assert json.loads(out) == {"exit_code": code, "reason": err.removeprefix("lethe: ").rstrip("\n")}


def test_a_signal_that_was_ignored_stays_ignored():
    ignore = "import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN)\n"
    code, _, _, _ = broken_off("    time.sleep(1)", signal.SIGHUP, before=ignore)
    assert code == 0
