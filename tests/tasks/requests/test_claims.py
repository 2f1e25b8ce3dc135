"""A worker's hold on what it serves, in processes that really hang, lose their claim, or wait their turn."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from ledgers import draft, enter

from tasks.requests.claims import ENDED, at_work, hold, is_claimed, lease_s
from tasks.requests.ledger.ledger import MOST_ATTEMPTS, Ledger, connect
from unlearn_core.errors import GateError, PipelineError, SetupError, UnavailableError

PROGRAM = """
import signal, sys, time
from pathlib import Path
from tasks.requests.claims import at_work, hold, lease_s
from tasks.requests.ledger.ledger import connect

mode, limit = sys.argv[1], float(sys.argv[2])
ledger = connect(Path.cwd())
entries = ledger.claim(f"w-{mode}", lease_s=lease_s())
with hold(ledger, entries, f"w-{mode}", limit_s=limit) as claim:
    with at_work():
        print("at work", flush=True)
        if mode == "hang":
            signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
            time.sleep(600)
        time.sleep(float(sys.argv[3]))
    for entry in claim.entries:
        claim.complete(entry, reason="served")
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "requests").mkdir()
    monkeypatch.setenv("LETHE_WORK", str(tmp_path / "work"))
    return tmp_path


@pytest.fixture
def ledger(folder):
    return connect(folder)


def worker(folder, *arguments, lease=2.0):
    environment = {**os.environ, "LETHE_LEASE_S": str(lease), "PYTHONPATH": str(Path.cwd())}
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *map(str, arguments)],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def state(ledger, request="r-1"):
    return ledger.history(request)[0].state


@pytest.mark.long
def test_signs_of_life_keep_a_claim_longer_than_its_lease(folder, ledger):
    enter(ledger, "r-1")
    slow = worker(folder, "slow", 60, 7, lease=3.0)
    assert slow.stdout.readline() == "at work\n"
    until = time.monotonic() + 6
    while time.monotonic() < until:
        assert ledger.expire(actor="warden") == ()
        time.sleep(0.2)
    _, err = slow.communicate(timeout=30)
    assert slow.returncode == 0, err
    assert state(ledger) == "completed"


def test_what_hangs_is_ended_and_the_request_fails(folder, ledger):
    enter(ledger, "r-1")
    hung = worker(folder, "hang", 1)
    _, err = hung.communicate(timeout=30)
    assert hung.returncode == ENDED
    assert "took longer than 1 s" in err
    entry, events = ledger.history("r-1")
    assert (entry.state, events[-1].reason) == ("failed", "the computing took longer than 1 s and was ended")


def test_a_worker_that_has_lost_its_claim_ends(folder, ledger):
    enter(ledger, "r-1")
    late = worker(folder, "late", 60, 600)
    assert late.stdout.readline() == "at work\n"
    late.send_signal(signal.SIGSTOP)
    time.sleep(3.5)
    assert [entry.id for entry in ledger.claim("w-2", lease_s=600)] == ["r-1"]
    late.send_signal(signal.SIGCONT)
    _, err = late.communicate(timeout=30)
    assert late.returncode == ENDED
    assert "'w-late' does not hold request 'r-1'" in err
    assert ledger.history("r-1")[0].worker == "w-2"


def test_only_one_computes_on_an_accelerator_and_a_killed_one_lets_go_at_once(folder, ledger):
    enter(ledger, draft("a-1"), draft("b-1", model="faces"))
    first = worker(folder, "first", 60, 600)
    assert first.stdout.readline() == "at work\n"
    second = worker(folder, "second", 60, 0)
    time.sleep(3)
    assert second.poll() is None
    assert {state(ledger, "a-1"), state(ledger, "b-1")} == {"running"}
    first.kill()
    _, err = second.communicate(timeout=10)
    assert second.returncode == 0, err
    first.communicate()
    assert state(ledger, "b-1") == "completed"


def stop(ledger, entries, error):
    with hold(ledger, entries, "w", limit_s=60):
        assert is_claimed()
        raise error


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (GateError("no model\nwas accepted"), ("failed", "no model was accepted")),
        (UnavailableError("the store is away"), ("received", "the store is away")),
        (SetupError("git is not installed"), ("received", "git is not installed")),
        (PipelineError("\x1b[31mred\x1b[0m\x00\udcff"), ("failed", "[31mred [0m")),
        (KeyboardInterrupt(), ("received", "stopped by KeyboardInterrupt")),
        (ValueError("subject-0001"), ("received", "stopped by ValueError")),
    ],
)
def test_an_error_of_lethes_own_is_final_and_any_other_may_pass(ledger, error, expected):
    enter(ledger, "r-1")
    entries = ledger.claim("w")
    with pytest.raises(type(error)):
        stop(ledger, entries, error)
    assert not is_claimed()
    entry, events = ledger.history("r-1")
    assert (entry.state, events[-1].reason) == expected


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (UnavailableError("the store is away"), "received"),
        (KeyboardInterrupt(), "received"),
        (ValueError("subject-0001"), "failed"),
    ],
)
def test_a_service_that_is_away_for_long_fails_no_request(ledger, error, state):
    enter(ledger, "r-1")
    for _ in range(MOST_ATTEMPTS):
        with pytest.raises(type(error)):
            stop(ledger, ledger.claim("w"), error)
    assert ledger.history("r-1")[0].state == state


def test_nothing_is_asked_of_who_claims_nothing(folder):
    with at_work():
        assert not (folder / "work").exists()


class Slow(Ledger):
    """A ledger whose answers take longer than a worker waits between two signs of life."""

    def complete(self, *arguments, **named):
        completed = super().complete(*arguments, **named)
        time.sleep(1)
        return completed

    def give_back(self, *arguments, **named):
        given_back = super().give_back(*arguments, **named)
        time.sleep(1)
        return given_back


class Broken(Ledger):
    """A ledger that fails in a way that nobody has thought of."""

    def heartbeat(self, *arguments, **named):
        raise ValueError("subject-0001")


@pytest.fixture
def ends(monkeypatch):
    """What would have ended this process, and a lease of a second."""
    reasons = []
    monkeypatch.setenv("LETHE_LEASE_S", "1")
    monkeypatch.setattr("tasks.requests.claims._end", reasons.append)
    return reasons


def test_what_was_just_finished_is_not_taken_for_a_lost_claim(ledger, ends):
    enter(ledger, draft("a-1"), draft("b-1", model="faces"))
    for worker_ in ("w-1", "w-2"):
        slow = Slow(ledger.engine)
        entries = slow.claim(worker_, lease_s=60)
        with contextlib.suppress(KeyboardInterrupt), hold(slow, entries, worker_, limit_s=60) as claim:
            if worker_ == "w-2":
                raise KeyboardInterrupt
            claim.complete(entries[0], reason="served")
    assert {state(ledger, "a-1"), state(ledger, "b-1")} == {"completed", "received"}
    assert ends == []


def test_a_worker_that_cannot_give_signs_of_life_ends_when_its_lease_is_over(ledger, ends):
    enter(ledger, "r-1")
    broken = Broken(ledger.engine)
    with hold(broken, broken.claim("w", lease_s=60), "w", limit_s=60):
        until = time.monotonic() + 10
        while not ends and time.monotonic() < until:
            time.sleep(0.1)
    assert ends[0] == "the claim is over: stopped by ValueError"


@pytest.mark.parametrize("given", ["", "soon", "0", "-1", "nan", "1e9"])
def test_a_lease_is_a_number_of_seconds(monkeypatch, given):
    monkeypatch.setenv("LETHE_LEASE_S", given)
    with pytest.raises(SetupError, match="expected 1 to 86400 seconds"):
        lease_s()
