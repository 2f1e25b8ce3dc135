"""Which waiting requests are served next."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unlearn_core.audit.ledger import make_submission
from unlearn_core.audit.queueing import DUE_FIRST, TOGETHER, in_groups, turn_of
from unlearn_core.records.batch import Batch
from unlearn_core.records.ledger import Entry
from unlearn_core.records.request import DeletionRequest
from unlearn_core.records.scope import ClassScope, SampleScope

PSEUDONYM = "hmac-sha256:" + "0" * 64


def entry(request_id, *, model="digits", state="received", samples=False, leader=None, until=None):
    scope = SampleScope(samples=(PSEUDONYM,)) if samples else ClassScope(classes=("3",))
    request = DeletionRequest(id=request_id, scope=scope)
    submission = make_submission(request, model=model, basis="gdpr", received="2026-11-21T12:00:00Z")
    return Entry(
        submission=submission,
        state=state,
        attempts=0,
        worker=None,
        lease_until=None,
        leader=leader,
        waits_until=until,
    )


def ids(entries):
    return [one.id for one in entries]


QUEUE = (entry("a-1"), entry("b-1", model="faces"), entry("a-2", samples=True), entry("a-3"))


def test_what_is_due_first_is_served_first():
    assert ids(DUE_FIRST(QUEUE)) == ["a-1"]


def test_a_model_that_somebody_works_at_is_passed_over():
    busy = (*QUEUE, entry("a-0", state="running"))
    assert ids(DUE_FIRST(busy)) == ids(in_groups(most=9)(busy)) == ["b-1"]
    assert turn_of("a-1")(busy) == []


def test_a_request_comes_nearer_by_what_is_due_before_it_on_its_model():
    assert ids(turn_of("a-3")(QUEUE)) == ["a-1"]
    assert ids(turn_of("b-1")(QUEUE)) == ["b-1"]


def test_a_request_may_be_served_ahead_of_what_is_due_before_it():
    assert ids(turn_of("a-3", ahead=True)(QUEUE)) == ["a-3"]


def test_a_request_that_does_not_wait_brings_nothing():
    assert turn_of("r-9")(QUEUE) == ()


def test_only_requests_for_one_model_and_one_kind_of_thing_are_served_together():
    assert ids(in_groups(most=9)(QUEUE)) == ["a-1", "a-3"]
    assert ids(in_groups(most=1)(QUEUE)) == ["a-1"]
    assert ids(in_groups(most=9, model="faces")(QUEUE)) == ["b-1"]


@pytest.mark.parametrize("choose", [in_groups(most=1), DUE_FIRST, turn_of("a-9"), turn_of("a-2", ahead=True)])
def test_an_interrupted_group_is_taken_up_as_it_was_its_leader_first(choose):
    group = (entry("a-0"), entry("a-1", leader="a-3"), entry("a-2"), entry("a-3", leader="a-3"), entry("a-9"))
    assert ids(choose(group)) == ["a-3", "a-1"]


@pytest.mark.parametrize("choose", [DUE_FIRST, in_groups(most=9), turn_of("a-2"), turn_of("a-2", ahead=True)])
def test_what_was_begun_alone_is_finished_alone_before_anything_else_on_its_model(choose):
    assert ids(choose((entry("a-1"), entry("a-2"), entry("a-3", leader="a-3")))) == ["a-3"]


UNTIL = "2026-11-25T12:00:00Z"
WAITING = (entry("a-1", until=UNTIL), entry("a-2"), entry("a-3", until=UNTIL), entry("a-4", samples=True))
BATCH = Batch(wait_h=48, at_most=2)


def test_what_waits_for_others_begins_no_run_and_joins_one():
    assert ids(in_groups(most=9)(WAITING)) == ["a-2", "a-1", "a-3"]
    assert ids(in_groups(most=9)(WAITING[:1])) == []
    assert ids(in_groups(most=9, patient=False)(WAITING)) == ["a-1", "a-2", "a-3"]


def test_a_person_who_names_a_request_does_not_wait_for_others():
    assert ids(turn_of("a-1")(WAITING)) == ["a-1"]
    assert ids(turn_of("a-3")(WAITING[::2])) == ["a-3"]


def test_a_policy_says_how_many_go_together_unless_somebody_else_does():
    assert ids(in_groups().under(BATCH)(WAITING)) == ["a-2", "a-1"]
    assert ids(in_groups(most=9).under(BATCH)(WAITING)) == ["a-2", "a-1", "a-3"]
    assert ids(turn_of("a-2").under(BATCH)(WAITING[1:])) == ["a-2", "a-3"]
    assert ids(turn_of("a-3", ahead=True).under(BATCH)(WAITING)) == ["a-3"]
    assert in_groups().under(None).limit == TOGETHER


@given(
    st.lists(st.tuples(st.sampled_from("ab"), st.booleans(), st.booleans()), max_size=9),
    st.integers(min_value=1, max_value=4),
)
def test_a_group_is_for_one_free_model_begins_with_what_is_due_first_and_is_not_too_big(rows, most):
    entries = [
        entry(f"r-{n}", model=model, samples=samples, state="running" if running else "received")
        for n, (model, samples, running) in enumerate(rows)
    ]
    busy = {one.submission.model for one in entries if one.state == "running"}
    free = [one for one in entries if one.state == "received" and one.submission.model not in busy]
    chosen = in_groups(most=most)(entries)
    assert chosen[:1] == free[:1]
    assert len(chosen) <= most
    assert len({(one.submission.model, one.submission.request.scope.kind) for one in chosen}) <= 1
    assert all(one in free for one in chosen)
