"""Whoever is free does the next job: what a lost process, an error and too few places make of that."""

import threading
import time

import pytest

from tasks.running import pool
from tasks.running.messages import LOST, RESULT, STEP, WHY
from tasks.running.pool import MOST_TRIES, JobProcesses, LostNodeError
from unlearn_core.errors import PipelineError

PATIENCE_S = 30


class Spoken:
    """A process that says what it is told to say; an error that it finds there is raised."""

    def __init__(self, *messages, has_place=True):
        self.messages, self.has_place, self.ended = messages, has_place, False

    def placed(self, within_s):
        if not self.has_place:
            time.sleep(within_s)
        return self.has_place

    def told(self, job):
        for message in self.messages:
            if isinstance(message, Exception):
                raise message
            yield message(job) if callable(message) else message

    def end(self):
        self.ended = True

    kill = end


GONE = LostNodeError("its node was lost")


@pytest.fixture(autouse=True)
def no_pause(monkeypatch):
    monkeypatch.setattr(pool, "LOOK_EVERY_S", 0.01)


def started(*processes):
    """Return a function that starts these, one after the other, and what it has not started yet."""
    left = list(processes)
    return (lambda: left.pop(0)), left


def test_a_job_whose_worker_is_lost_begins_again_with_another():
    lost, other = Spoken({STEP: 1}, GONE), Spoken({STEP: 1}, {RESULT: "done"})
    processes = JobProcesses(started(lost, other)[0])
    assert list(processes.told(b"job")) == [{STEP: 1}, {LOST: str(GONE)}, {STEP: 1}, {RESULT: "done"}]
    assert (lost.ended, other.ended) == (True, False)


def test_a_job_that_loses_every_worker_is_given_up():
    start, left = started(*(Spoken(GONE) for _ in range(MOST_TRIES + 1)))
    *again, last = JobProcesses(start).told(b"job")
    assert again == [{LOST: str(GONE)}] * (MOST_TRIES - 1)
    assert last == {WHY: f"its node was lost; it was begun {MOST_TRIES} times"}
    assert len(left) == 1


def test_an_error_is_told_once_and_its_worker_does_nothing_more():
    wrong, other = Spoken({WHY: "no such net"}), Spoken({RESULT: "done"})
    processes = JobProcesses(started(wrong, other)[0])
    assert list(processes.told(b"one")) == [{WHY: "no such net"}]
    assert wrong.ended
    assert list(processes.told(b"two")) == [{RESULT: "done"}]


def test_one_worker_does_all_jobs_that_follow_one_another():
    processes = JobProcesses(started(Spoken(lambda job: {RESULT: job}))[0])
    assert [list(processes.told(job)) for job in (b"1", b"2")] == [[{RESULT: b"1"}], [{RESULT: b"2"}]]


class Held(Spoken):
    """A process whose job goes on until it is let go."""

    def __init__(self, **options):
        super().__init__(**options)
        self.begun, self.let_go = threading.Event(), threading.Event()

    def told(self, job):
        self.begun.set()
        assert self.let_go.wait(PATIENCE_S)
        yield {RESULT: job}


def in_thread(processes, job):
    said = []
    thread = threading.Thread(target=lambda: said.extend(processes.told(job)))
    thread.start()
    return thread, said


def test_no_more_are_started_than_there_may_be():
    only = Held()
    start, left = started(only, Spoken({RESULT: "too many"}))
    processes = JobProcesses(start, lambda: 1)
    first, _ = in_thread(processes, b"1")
    assert only.begun.wait(PATIENCE_S)
    second, said = in_thread(processes, b"2")
    time.sleep(0.05)
    assert (len(left), said) == (1, [])
    only.let_go.set()
    for thread in (first, second):
        thread.join(PATIENCE_S)
    assert said == [{RESULT: b"2"}]


def test_a_job_whose_new_worker_finds_no_place_goes_to_one_that_is_free(monkeypatch):
    monkeypatch.setattr(pool, "PLACE_S", 0.0)
    at_work, waiting = Held(), Spoken({RESULT: "never"}, has_place=False)
    processes = JobProcesses(started(at_work, waiting)[0])
    first, _ = in_thread(processes, b"1")
    assert at_work.begun.wait(PATIENCE_S)
    second, said = in_thread(processes, b"2")
    time.sleep(0.05)
    assert (said, waiting.ended) == ([], False)
    at_work.let_go.set()
    for thread in (first, second):
        thread.join(PATIENCE_S)
    assert (said, waiting.ended) == ([{RESULT: b"2"}], True)


def test_once_all_were_ended_nothing_begins_and_nothing_begins_again():
    lost = Held()
    lost.told = lambda job: Spoken(GONE).told(job) if lost.let_go.wait(PATIENCE_S) else iter(())
    processes = JobProcesses(started(lost, Spoken({RESULT: "late"}))[0])
    thread, said = in_thread(processes, b"1")
    while not processes._at_work:
        time.sleep(0.001)
    processes.end()
    assert lost.ended
    lost.let_go.set()
    thread.join(PATIENCE_S)
    assert [WHY in message for message in said] == [True]
    with pytest.raises(PipelineError, match="not begun"):
        list(processes.told(b"2"))
