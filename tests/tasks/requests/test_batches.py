"""Requests that wait for one another: until when, how they are let go, and how few claims serve them."""

import pytest
from ledgers import NOON, draft, enter

from tasks.requests.ledger.batches import keep_batch
from tasks.requests.ledger.waiting import why_waiting
from unlearn_core.audit.queueing import TOGETHER, in_groups, turn_of
from unlearn_core.errors import EvidenceError
from unlearn_core.records.batch import Batch

DAY_S = 24 * 3600
BATCH = Batch(wait_h=48, at_most=4)
UNTIL = "2026-11-23T12:00:00Z"


@pytest.fixture
def patient(ledger):
    keep_batch(ledger, "digits", BATCH)
    return ledger


def ids(entries):
    return [entry.id for entry in entries]


def claims(ledger, rule):
    """Claim and complete until nothing is left; return the ids of each claim."""
    found = []
    while claimed := ledger.claim("w", rule):
        found.append(ids(claimed))
        for entry in claimed:
            ledger.complete(entry.id, "w")
    return found


def test_requests_wait_for_one_another_and_go_together(patient, clock):
    assert enter(patient, "r-1")[0].waits_until == UNTIL
    clock.advance(DAY_S)
    enter(patient, "r-2", draft("other", model="cifar"))
    assert claims(patient, in_groups()) == [["other"]]
    clock.advance(DAY_S)
    assert claims(patient, in_groups()) == [["r-1", "r-2"]]
    patient.verify()


def test_a_full_batch_waits_no_longer(patient):
    enter(patient, "r-1", "r-2", "r-3")
    assert patient.claim("w", in_groups()) == ()
    assert [one.waits_until for one in enter(patient, "r-4", "r-5")] == [None, None]
    assert claims(patient, in_groups()) == [["r-1", "r-2", "r-3", "r-4"], ["r-5"]]


def test_what_is_due_soon_does_not_wait(patient):
    (soon,) = enter(patient, draft("r-1", received="2026-10-25T12:00:00Z"))
    assert (soon.submission.due, soon.waits_until) == ("2026-11-25", None)
    enter(patient, "r-2")
    assert claims(patient, in_groups()) == [["r-1", "r-2"]], "what waits joins a run that goes anyway"


def test_a_person_may_serve_what_waits(patient):
    enter(patient, "r-1", "r-2", "r-3")
    assert ids(patient.claim("w-1", turn_of("r-3", ahead=True))) == ["r-3"]
    patient.complete("r-3", "w-1")
    assert claims(patient, in_groups(patient=False)) == [["r-1", "r-2"]]


def test_an_event_for_one_request_serves_those_that_waited_for_it(patient):
    enter(patient, "r-1", "r-2", "r-3", "r-4")
    assert ids(patient.claim("w", turn_of("r-4"))) == ["r-1", "r-2", "r-3", "r-4"]


@pytest.mark.parametrize("batch", [None, Batch(wait_h=1, at_most=9), Batch(wait_h=48, at_most=2)])
def test_a_policy_that_lets_nobody_wait_any_more_lets_all_go(patient, clock, batch):
    enter(patient, "r-1", "r-2")
    clock.advance(7200)
    keep_batch(patient, "digits", batch)
    assert claims(patient, in_groups()) == [["r-1", "r-2"]]


def test_a_longer_wait_is_for_those_too_that_wait_already(patient, clock):
    enter(patient, "r-1")
    keep_batch(patient, "digits", Batch(wait_h=96, at_most=4))
    clock.advance(3 * DAY_S)
    assert patient.claim("w", in_groups()) == ()


def test_what_was_begun_failed_or_taken_back_waits_for_nobody(patient, clock):
    enter(patient, "r-1", "r-2")
    assert patient.cancel("r-2", actor="clerk", reason="withdrawn").waits_until is None
    patient.claim("w", in_groups(patient=False))
    assert patient.give_back("r-1", "w", reason="the store is away").waits_until is None
    patient.claim("w")
    patient.fail("r-1", "w", reason="no model was accepted")
    assert patient.retry("r-1", actor="clerk", reason="a wider policy").waits_until is None
    patient.verify()


def test_it_is_told_why_a_request_waits_and_until_when(patient):
    enter(patient, "r-1", draft("c-1", model="cifar"), draft("c-2", model="cifar"))
    patient.claim("worker-7")
    why = why_waiting(patient, patient.entries())
    assert why["r-1"] == f"for others on digits until {UNTIL}, or until 4 wait"
    assert why["c-2"] == "until request c-1 is served on its model, which worker-7 works on"
    assert set(why) == {"r-1", "c-2"}
    patient.give_back("c-1", "worker-7", reason="the store is away")
    why = why_waiting(patient, patient.entries())
    assert why["c-2"] == "until request c-1, whose run was interrupted, is resumed"
    assert why["c-1"] == "for the next worker, which resumes its run"


def test_a_wait_beyond_the_due_day_is_false_evidence_and_serves_nobody_late(patient, engine):
    enter(patient, "r-1")
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE deletion_requests SET waits_until = '2027-01-01T00:00:00Z'")
    with pytest.raises(EvidenceError, match="it waits for others until 2027-01-01T00:00:00Z; its due day"):
        patient.verify()


def test_three_hundred_requests_on_one_model_are_few_claims(ledger):
    enter(ledger, *(draft(f"r-{n:03d}", received=NOON) for n in range(300)))
    assert [len(claim) for claim in claims(ledger, in_groups())] == [TOGETHER] * 6
    ledger.verify()
