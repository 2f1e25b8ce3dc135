"""The states of a request and the chain of events, by their properties."""

from contextlib import nullcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unlearn_core.audit.ledger import MOVES, make_submission, move, next_event
from unlearn_core.audit.ledger_checks import check_ledger
from unlearn_core.errors import EvidenceError, RequestError
from unlearn_core.records.base import sha256
from unlearn_core.records.ledger import Entry
from unlearn_core.records.request import DeletionRequest
from unlearn_core.records.scope import ClassScope

NOW = "2026-11-21T12:00:00Z"
STATES = (None, "received", "running", "completed", "failed", "cancelled")
steps = st.lists(st.tuples(st.integers(0, 2), st.sampled_from(sorted(MOVES))), max_size=40)


def submission(number=0, classes=("3",)):
    request = DeletionRequest(id=f"r-{number}", scope=ClassScope(classes=classes))
    return make_submission(request, model="digits", basis="gdpr", received=NOW)


def play(wanted):
    """Do what can be done of some steps; return the events with their digests, and how the requests stand."""
    events, states, attempts = [], {}, {}
    for number, action in wanted:
        try:
            event = next_event(
                events[-1][0] if events else None,
                submission(number),
                states.get(number),
                action,
                time=NOW,
                actor="somebody",
                reason=None,
            )
        except RequestError:
            continue
        events.append((event, event.digest))
        states[number] = event.after
        attempts[number] = attempts.get(number, 0) + (action == "claim")
    return events, [entry(number, state, attempts[number]) for number, state in states.items()]


def entry(number, state, attempts):
    return Entry(submission=submission(number), state=state, attempts=attempts, worker=None, lease_until=None)


LONG = [(0, "submit"), (1, "submit"), (0, "claim"), (0, "fail"), (0, "retry"), (1, "cancel"), (0, "claim")]


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("action", MOVES)
def test_an_action_is_for_one_state_alone(state, action):
    before, after = MOVES[action]
    if state == before:
        assert move("r-1", state, action) == after
    else:
        said = f"cannot {action} request 'r-1': it is {state or 'not there'}"
        with pytest.raises(RequestError, match=said):
            move("r-1", state, action)


def test_completed_and_cancelled_are_final():
    for state in ("completed", "cancelled"):
        with pytest.raises(RequestError, match="that is final"):
            move("r-1", state, "claim")


def test_who_is_refused_hears_what_is_possible():
    with pytest.raises(RequestError, match="only complete or fail or expire is possible"):
        move("r-1", "running", "cancel")


@given(steps)
def test_whatever_happens_the_chain_holds_and_says_how_requests_stand(wanted):
    events, entries = play(wanted)
    assert check_ledger(events, entries) == (events[-1][1] if events else None)


@given(steps.filter(bool), st.data())
def test_an_event_that_was_changed_is_named_whatever_was_changed(wanted, data):
    events, entries = play([(0, "submit"), *wanted])
    place = data.draw(st.integers(0, len(events) - 1))
    changes = {
        "actor": "somebody else",
        "time": "2020-01-01T00:00:00Z",
        "reason": "another",
        "request": "r-9",
    }
    name = data.draw(st.sampled_from(sorted(changes)))
    changed = events[place][0].model_copy(update={name: changes[name]})
    events[place] = (changed, events[place][1])
    with pytest.raises(EvidenceError, match=f"broken at event {place + 1}: "):
        check_ledger(events, entries)


@given(steps.filter(bool), st.data())
def test_a_change_with_a_new_digest_breaks_the_next_event(wanted, data):
    events, entries = play([(0, "submit"), (1, "submit"), *wanted])
    place = data.draw(st.integers(0, len(events) - 2))
    changed = events[place][0].model_copy(update={"actor": "somebody else"})
    events[place] = (changed, changed.digest)
    with pytest.raises(EvidenceError, match=f"broken at event {place + 2}: it does not carry the digest"):
        check_ledger(events, entries)


@pytest.mark.parametrize("gone", range(len(LONG) - 1))
def test_an_event_that_was_taken_out_is_missed(gone):
    events, entries = play(LONG)
    with pytest.raises(EvidenceError, match=f"at event {gone + 2}: event {gone + 1} was expected"):
        check_ledger([*events[:gone], *events[gone + 1 :]], entries)


def test_a_tail_that_was_cut_off_does_not_account_for_the_requests():
    events, entries = play(LONG)
    with pytest.raises(EvidenceError, match=r"left it received after 1 attempts; it is running after 2"):
        check_ledger(events[:-1], entries)


def test_a_state_that_does_not_follow_is_found_even_with_right_digests():
    events, _ = play([(0, "submit")])
    first = events[0][0]
    skipped = first.model_copy(
        update={"sequence": 2, "previous": first.digest, "before": "received", "after": "completed",
                "action": "complete"}
    )  # fmt: skip
    with pytest.raises(EvidenceError, match="complete does not lead from received to completed"):
        check_ledger([*events, (skipped, skipped.digest)], [])


def test_a_request_that_was_changed_afterwards_is_found():
    events, entries = play(LONG)
    other = entries[0].model_copy(update={"submission": submission(0, classes=("3", "4"))})
    with pytest.raises(EvidenceError, match="what was asked for has changed"):
        check_ledger(events, [other, *entries[1:]])


def test_a_request_without_events_and_events_without_a_request_are_found():
    events, entries = play(LONG)
    with pytest.raises(EvidenceError, match="'r-2' is in the ledger without an event"):
        check_ledger(events, [*entries, entry(2, "received", 0)])
    with pytest.raises(EvidenceError, match="belongs to a request that is gone"):
        check_ledger(events, entries[:1])


@pytest.mark.parametrize("line", ["", "a\nb", "a\0b", "\udcff", "x" * 1001])
def test_an_actor_and_a_reason_are_lines_of_text(line):
    for actor, reason in ((line, None), ("somebody", line)):
        with pytest.raises(RequestError, match="the event is not valid"):
            next_event(None, submission(), None, "submit", time=NOW, actor=actor, reason=reason)


def test_the_digest_of_an_event_stays_what_it_was():
    """Ledgers are for years: who changes this breaks every one that is out there."""
    event = next_event(None, submission(), None, "submit", time=NOW, actor="a", reason=None)
    assert event.digest == sha256(event.canonical())
    assert event.digest == "sha256:d29c9b81c6c2411fdb07f8418883034f917fc7cc679fe5e58e50f66a5f328359"
    assert submission().digest == event.submission


def test_a_model_name_that_could_be_none_is_refused():
    with pytest.raises(RequestError, match="model"):
        make_submission(submission().request, model="a b", basis="gdpr", received=NOW)


@pytest.mark.parametrize(("now", "found"), [("2026-11-21T11:55:00Z", False), ("2026-11-21T11:54:59Z", True)])
def test_nothing_happened_in_the_future(now, found):
    events, entries = play(LONG)
    check_ledger(events, entries, now=NOW)
    with pytest.raises(EvidenceError, match=r"event 1: .*in the future") if found else nullcontext():
        check_ledger(events, entries, now=now)


def test_a_request_is_not_entered_before_it_was_received():
    late = submission().model_copy(update={"received": "2026-11-21T12:05:01Z"})
    event = next_event(None, late, None, "submit", time=NOW, actor="somebody", reason=None)
    entered = Entry(submission=late, state="received", attempts=0, worker=None, lease_until=None)
    with pytest.raises(EvidenceError, match=f"received at .*, after it was entered at {NOW}"):
        check_ledger([(event, event.digest)], [entered])
