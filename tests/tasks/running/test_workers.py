"""Whoever is free does the next job: what a lost worker, an error and too few places make of that."""

import threading
import time

import pytest

from tasks.running.messages import LOST, RESULT, STEP, WHY
from tasks.running.pool import TRIES, LostWorkerError, Workers
from unlearn_core.errors import PipelineError

PATIENCE_S = 30


class Spoken:
    """A worker that says what it is told to say; an error that it finds there is raised."""

    def __init__(self, *messages, placed=True):
        self.messages, self.placed, self.ended = messages, placed, False

    def told(self, job):
        for message in self.messages:
            if isinstance(message, Exception):
                raise message
            yield message(job) if callable(message) else message

    def end(self):
        self.ended = True

    kill = end


GONE = LostWorkerError("its node was lost")


def started(*workers):
    """Return a function that starts these, one after the other, and what it has not started yet."""
    left = list(workers)
    return (lambda: left.pop(0)), left


def test_a_job_whose_worker_is_lost_begins_again_with_another():
    lost, other = Spoken({STEP: 1}, GONE), Spoken({STEP: 1}, {RESULT: "done"})
    workers = Workers(started(lost, other)[0])
    assert list(workers.told(b"job")) == [{STEP: 1}, {LOST: str(GONE)}, {STEP: 1}, {RESULT: "done"}]
    assert (lost.ended, other.ended) == (True, False)


def test_a_job_that_loses_every_worker_is_given_up():
    start, left = started(*(Spoken(GONE) for _ in range(TRIES + 1)))
    *again, last = Workers(start).told(b"job")
    assert again == [{LOST: str(GONE)}] * (TRIES - 1)
    assert last == {WHY: f"its node was lost; it was begun {TRIES} times"}
    assert len(left) == 1


def test_an_error_is_told_once_and_its_worker_does_nothing_more():
    wrong, other = Spoken({WHY: "no such net"}), Spoken({RESULT: "done"})
    workers = Workers(started(wrong, other)[0])
    assert list(workers.told(b"one")) == [{WHY: "no such net"}]
    assert wrong.ended
    assert list(workers.told(b"two")) == [{RESULT: "done"}]


def test_one_worker_does_all_jobs_that_follow_one_another():
    workers = Workers(started(Spoken(lambda job: {RESULT: job}))[0])
    assert [list(workers.told(job)) for job in (b"1", b"2")] == [[{RESULT: b"1"}], [{RESULT: b"2"}]]


class Held(Spoken):
    """A worker whose job goes on until it is let go."""

    def __init__(self, **options):
        super().__init__(**options)
        self.begun, self.let_go = threading.Event(), threading.Event()

    def told(self, job):
        self.begun.set()
        assert self.let_go.wait(PATIENCE_S)
        yield {RESULT: job}


def in_thread(workers, job):
    said = []
    thread = threading.Thread(target=lambda: said.extend(workers.told(job)))
    thread.start()
    return thread, said


def test_no_more_are_started_than_there_may_be():
    only = Held()
    start, left = started(only, Spoken({RESULT: "too many"}))
    workers = Workers(start, lambda: 1)
    first, _ = in_thread(workers, b"1")
    assert only.begun.wait(PATIENCE_S)
    second, said = in_thread(workers, b"2")
    time.sleep(0.05)
    assert (len(left), said) == (1, [])
    only.let_go.set()
    for thread in (first, second):
        thread.join(PATIENCE_S)
    assert said == [{RESULT: b"2"}]


def test_one_that_is_free_makes_room_for_one_that_waits_for_a_place():
    waiting, at_work = Held(placed=False), Spoken({RESULT: "done"})
    workers = Workers(started(waiting, at_work)[0])
    thread, _ = in_thread(workers, b"1")
    assert waiting.begun.wait(PATIENCE_S)
    list(workers.told(b"2"))
    assert at_work.ended
    waiting.let_go.set()
    thread.join(PATIENCE_S)
    assert not waiting.ended


def test_once_all_were_ended_nothing_begins_and_nothing_begins_again():
    lost = Held()
    lost.told = lambda job: Spoken(GONE).told(job) if lost.let_go.wait(PATIENCE_S) else iter(())
    workers = Workers(started(lost, Spoken({RESULT: "late"}))[0])
    thread, said = in_thread(workers, b"1")
    while not workers._at_work:
        time.sleep(0.001)
    workers.end()
    assert lost.ended
    lost.let_go.set()
    thread.join(PATIENCE_S)
    assert [WHY in message for message in said] == [True]
    with pytest.raises(PipelineError, match="not begun"):
        list(workers.told(b"2"))
