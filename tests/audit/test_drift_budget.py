"""The drift budget: what it allows, and what a certificate says of drift."""

import json

import pytest
from test_certificate import digest, statement

from unlearn_core.audit.acceptance import overdrawn, spent
from unlearn_core.audit.certificate import check
from unlearn_core.errors import EvidenceError
from unlearn_core.records.base import canonical_json
from unlearn_core.records.certificate import Statement
from unlearn_core.records.drift import DriftSummary
from unlearn_core.records.policy import DriftBudget

AT_THE_BOUND = DriftBudget(
    max_requests=4, max_weight_distance=0.25, max_output_change=0.5, max_accuracy_drop=0.125
)


def summary(**changes) -> DriftSummary:
    figures = {
        "origin": digest("origin"),
        "requests": 4,
        "weight_distance": 0.25,
        "layer_weight_distance": 0.75,
        "retained_energy": 0.5,
        "staleness": 0.125,
        "accuracy": 0.75,
        "accuracy_at_origin": 0.875,
    }
    return DriftSummary(**figures | changes)


def test_a_budget_without_bounds_allows_everything():
    assert spent(DriftBudget(), 10**6) is None
    assert overdrawn(DriftBudget(), summary(weight_distance=9.0, retained_energy=-9.0, accuracy=0.0)) is None


def test_the_last_request_within_the_budget_is_served():
    assert spent(AT_THE_BOUND, 4) is None


def test_the_first_request_beyond_the_budget_is_not():
    assert spent(AT_THE_BOUND, 5) == (
        "The drift budget is spent: this would be deletion 5 since the model was trained in full, "
        "4 are allowed."
    )


def test_a_budget_of_no_requests_always_asks_for_full_training():
    assert spent(DriftBudget(max_requests=0), 1) is not None


def test_a_model_at_every_bound_is_within_the_budget():
    assert overdrawn(AT_THE_BOUND, summary()) is None


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"requests": 5}, "deletions 5, allowed 4"),
        ({"weight_distance": 0.3}, "weight distance 0.3, allowed 0.25"),
        ({"retained_energy": 0.25}, "output change 0.75, allowed 0.5"),
        ({"accuracy": 0.5}, "accuracy drop 0.375, allowed 0.125"),
    ],
)
def test_every_bound_is_held_by_itself(changes, told):
    assert overdrawn(AT_THE_BOUND, summary(**changes)) == f"The drift budget is overdrawn: {told}."


def test_all_that_is_beyond_the_budget_is_told():
    told = overdrawn(AT_THE_BOUND, summary(requests=5, accuracy=0.0))
    assert (
        told == "The drift budget is overdrawn: deletions 5, allowed 4; accuracy drop 0.875, allowed 0.125."
    )


def test_a_gain_in_accuracy_is_no_drop():
    assert overdrawn(DriftBudget(max_accuracy_drop=0.0), summary(accuracy=1.0)) is None


def certified(**changes) -> Statement:
    tree = json.loads(statement().canonical())
    tree["predicate"]["drift"] = summary(**changes).model_dump(mode="json")
    return Statement.parse(canonical_json(tree))


def test_a_certificate_may_say_how_far_the_model_has_drifted():
    check(certified())


def test_a_certificate_of_a_model_trained_in_full_says_that_it_has_no_drift():
    still = {"weight_distance": 0.0, "layer_weight_distance": 0.0, "retained_energy": 1.0, "staleness": None}
    check(certified(origin=digest("unlearned"), requests=0, **still))


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"requests": 0}, "drift: 0 deletions since the origin"),
        ({"origin": digest("unlearned")}, "drift: 4 deletions since the origin"),
        ({"origin": digest("unlearned"), "requests": 0}, "is its own origin, yet has moved"),
    ],
)
def test_a_drift_that_cannot_be_is_named(changes, problem):
    with pytest.raises(EvidenceError) as caught:
        check(certified(**changes))
    assert problem in str(caught.value)


def test_a_drift_of_another_accuracy_than_was_measured_is_named():
    tree = json.loads(certified().canonical())
    evaluation = tree["predicate"]["judgement"]["unlearned"]
    evaluation["measurements"].append({**evaluation["measurements"][1], "name": "accuracy.audit.retain"})
    with pytest.raises(EvidenceError, match=r"but accuracy\.audit\.retain was measured as 0\.9812"):
        check(Statement.parse(canonical_json(tree)))


def test_an_accuracy_that_says_nothing_overdraws_no_budget():
    assert overdrawn(AT_THE_BOUND, summary(accuracy=None, accuracy_at_origin=None)) is None
