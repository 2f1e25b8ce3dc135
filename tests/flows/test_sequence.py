"""Ten requests in a row on one model, classes and samples by turns."""

import pytest
from sequence import LENIENT, of_class, of_samples, prepare, serve
from world import NOISE, make_checkout

from tasks.checkout.checkout import Checkout
from tasks.computing.checkpoints import read_checkpoint_card
from tasks.evidence.verification import verify_files
from tasks.lifecycle.releases import continue_from_champion, read_release

pytestmark = [*NOISE, pytest.mark.slow]

BUDGET = 4
CLASSES = {1: "3", 4: "7", 7: "1"}
NAMES = [f"r-{number}" for number in range(10)]


@pytest.fixture(scope="module")
def served(own_folders, tmp_path_factory):
    """Return the checkout, and the record and the card of every deletion."""
    policy = {**LENIENT, "drift": {"max_requests": BUDGET}}
    root = make_checkout(tmp_path_factory.mktemp("sequence") / "project", policy=policy)
    checkout, records, cards = Checkout(root), [], []
    for number, name in enumerate(NAMES):
        prepare(root)
        scope = of_class(CLASSES[number]) if number in CLASSES else of_samples(root, 12)
        records.append(serve(root, name, scope))
        cards.append(read_checkpoint_card(checkout.unlearned))
        continue_from_champion(checkout)
    return checkout, records, cards


def test_every_request_is_certified(served):
    checkout, records, _ = served
    for name, record in zip(NAMES, records, strict=True):
        certified = verify_files(checkout.certificate(name))
        assert certified["model"] == record.accepted.unlearning.weights


def test_every_request_passes_or_escalates(served):
    _, records, _ = served
    for record in records:
        accepted = record.accepted
        passed = accepted.verdict.verdict in {"passes", "inconclusive"}
        assert accepted.accepted
        assert passed
        assert record.tried[-1] == accepted.unlearning.name


def test_every_request_starts_from_the_model_before(served):
    _, records, _ = served
    ends = [record.accepted.unlearning.weights for record in records]
    starts = [record.accepted.unlearning.parent for record in records]
    assert starts[1:] == ends[:-1]


def test_deletions_are_counted_since_the_last_full_training(served):
    _, records, _ = served
    expected, since = [], 0
    for record in records:
        since = 0 if record.accepted.unlearning.name == "retrain" else since + 1
        expected.append(since)
    assert [record.drift.requests for record in records] == expected
    assert max(expected) == BUDGET


def test_drift_is_measured_from_the_last_full_training(served):
    _, records, _ = served
    origin = records[0].original.model
    for record in records:
        if record.accepted.unlearning.name == "retrain":
            origin = record.accepted.unlearning.weights
        assert record.drift.origin == origin


def test_every_drift_record_is_complete(served):
    _, records, _ = served
    for record in records:
        drift = record.drift
        assert drift.accuracy == record.accepted.evaluation.value("accuracy.audit.retain")
        assert bool(drift.layers) == (drift.requests > 0)
        assert (drift.staleness is None) == (drift.requests == 0)
        assert (drift.weight_distance > 0) == (drift.requests > 0)


def test_a_spent_budget_escalates_to_retraining_and_starts_anew(served):
    _, records, cards = served
    spent = [record for record in records if any("drift budget is spent" in e.why for e in record.left_out)]
    assert len(spent) >= 1
    for record in spent:
        assert record.tried == ("retrain",)
        assert record.drift.requests == 0
    for record, card in zip(records, cards, strict=True):
        assert (card.trained is None) == (record.accepted.unlearning.name == "retrain")


def test_every_release_stands(served):
    checkout, records, _ = served
    released = [read_release(checkout, name).outcome.model for name in NAMES]
    assert released == [record.accepted.unlearning.weights for record in records]
