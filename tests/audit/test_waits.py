"""How long requests wait for one another: as long as the policy says, and never until it is too late."""

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unlearn_core.audit.batching import LEFT_H, latest_start, waits_until
from unlearn_core.audit.deadlines import is_overdue, later
from unlearn_core.audit.ledger import make_submission
from unlearn_core.records.batch import Batch
from unlearn_core.records.request import DeletionRequest
from unlearn_core.records.scope import ClassScope

RECEIVED = "2026-11-01T12:00:00Z"  # due on 2026-12-01


def asked(received=RECEIVED, basis="gdpr"):
    request = DeletionRequest(id="r-1", scope=ClassScope(classes=("3",)))
    return make_submission(request, model="digits", basis=basis, received=received)


@pytest.mark.parametrize(
    ("wait_h", "now", "until"),
    [
        (48, RECEIVED, "2026-11-03T12:00:00Z"),
        (48, "2026-11-03T11:59:59Z", "2026-11-03T12:00:00Z"),
        (48, "2026-11-03T12:00:00Z", None),
        (24 * 40, RECEIVED, "2026-11-28T10:00:00Z"),
        (24 * 40, "2026-11-28T10:00:00Z", None),
    ],
)
def test_a_request_waits_some_hours_and_no_longer_than_its_due_day_allows(wait_h, now, until):
    assert waits_until(asked(), Batch(wait_h=wait_h, at_most=9), now) == until


def test_without_a_policy_for_it_no_request_waits():
    assert waits_until(asked(), None, RECEIVED) is None


@given(
    st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)),
    st.sampled_from(["gdpr", "ccpa"]),
    st.floats(0.01, 24 * 45),
    st.integers(0, 3600 * 24 * 60),
)
def test_whatever_the_policy_no_request_waits_until_it_is_late(received, basis, wait_h, passed):
    received = received.strftime("%Y-%m-%dT%H:%M:%SZ")
    submission = asked(received, basis)
    until = waits_until(submission, Batch(wait_h=wait_h, at_most=9), later(received, passed))
    if until is not None:
        assert until <= latest_start(submission.due)
        assert until <= later(received, 3600 * wait_h)
        assert not is_overdue(submission.due, later(until, 3600 * LEFT_H - 1))
