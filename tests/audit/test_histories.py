"""The runs of a request, told from its events alone."""

import pytest

from unlearn_core.audit.histories import history_of
from unlearn_core.audit.ledger import make_submission, next_event
from unlearn_core.audit.ledger_checks import check_ledger
from unlearn_core.errors import EvidenceError, RequestError
from unlearn_core.records.base import sha256
from unlearn_core.records.ledger import Entry, LedgerEvent
from unlearn_core.records.request import DeletionRequest
from unlearn_core.records.scope import ClassScope

NOW = "2026-11-21T12:00:00Z"
OLD, NEW, FIRST, LAST = (sha256(name) for name in (b"old", b"new", b"first", b"last"))
REQUEST = DeletionRequest(id="r-1", scope=ClassScope(classes=("3",)))
SUBMISSION = make_submission(REQUEST, model="digits", basis="gdpr", received=NOW)


def told(*steps):
    """Return the events of some steps: an action, and what else the event says."""
    events, state = [], None
    for action, more in steps:
        head = events[-1] if events else None
        events.append(next_event(head, SUBMISSION, state, action, time=NOW, actor="a", reason=None, **more))
        state = events[-1].after
    return events


def begin(policy):
    return "begin", {"policy": policy}


def end(result, deletion=None, policy=OLD):
    return "end", {"policy": policy, "run": result, "deletion": deletion}


ENTERED = ("submit", {"policy": OLD})


def test_runs_that_were_repeated_until_one_passed_are_told_and_the_one_at_hand_is_not():
    events = told(
        ENTERED, begin(OLD), end("refused", FIRST), begin(OLD), end("failed"), begin(NEW), begin(NEW),
        end("accepted", LAST, NEW),
    )  # fmt: skip
    history = history_of(events, LAST)
    assert [run.result for run in history.runs] == ["refused", "failed", "interrupted"]
    assert history.policy_at_receipt == OLD
    assert len(history_of(events).runs) == 4


def test_the_same_run_again_is_not_another():
    events = told(ENTERED, begin(OLD), end("accepted", LAST), begin(OLD), end("accepted", LAST))
    assert history_of(events, LAST).runs == ()


@pytest.mark.parametrize(
    ("at_receipt", "run", "now", "changed"),
    [(OLD, OLD, OLD, False), (OLD, NEW, NEW, True), (OLD, NEW, OLD, True), (None, OLD, NEW, True),
     (None, OLD, OLD, False), (None, None, NEW, None)],
)  # fmt: skip
def test_a_policy_was_changed_if_any_that_is_known_is_another(at_receipt, run, now, changed):
    events = told(("submit", {"policy": at_receipt}), begin(run), end("refused", FIRST))
    assert history_of(events, LAST).policy_changed(now) is changed


def test_runs_are_in_the_chain_and_change_no_state():
    events = told(ENTERED, begin(OLD), end("refused", FIRST), begin(OLD), ("cancel", {}))
    entry = Entry(submission=SUBMISSION, state="cancelled", attempts=0, worker=None, lease_until=None)
    assert check_ledger([(one, one.digest) for one in events], [entry]) == events[-1].digest


def test_no_work_begins_on_what_was_cancelled():
    events = told(ENTERED, ("cancel", {}))
    with pytest.raises(RequestError, match="cannot begin request 'r-1': it is cancelled, and that is final"):
        told(ENTERED, ("cancel", {}), begin(OLD))
    last, begun = events[-1], begin(OLD)[1]
    late = {"sequence": last.sequence + 1, "action": "begin", "before": "cancelled", "previous": last.digest}
    added = LedgerEvent(**{**dict(last), "reason": None, **begun, **late})
    entry = Entry(submission=SUBMISSION, state="cancelled", attempts=0, worker=None, lease_until=None)
    check_ledger([(one, one.digest) for one in events], [entry])
    with pytest.raises(EvidenceError, match="request 'r-1' was cancelled, and then work on it began at"):
        check_ledger([(one, one.digest) for one in (*events, added)], [entry])


def test_what_was_never_entered_has_no_run():
    with pytest.raises(RequestError, match="cannot begin request 'r-1': it is not there"):
        told(begin(OLD))
