"""All classes but one are forgotten: what is right whatever a model knows is not measured."""

import pytest
from sequence import LENIENT, serve
from templates import prepared_checkout
from world import FORGOTTEN, NOISE

from tasks.checkout.checkout import Checkout
from tasks.evidence.verification import verify_files
from tasks.requests.request_file import make_scope

pytestmark = [*NOISE, pytest.mark.long]

KEPT = {
    "measurement": "accuracy.audit.retain",
    "below": 0.03,
    "above": 0.03,
    "below_means": "over_forgotten",
    "above_means": "under_forgotten",
    "lowest": 0.95,
}


@pytest.fixture(scope="module")
def served(own_folders, tmp_path_factory):
    policy = {**LENIENT, "classes": [{**FORGOTTEN, "highest": 0.2}, KEPT], "reference": "none"}
    root = prepared_checkout(tmp_path_factory.mktemp("one-left") / "project", policy=policy)
    scope = make_scope(classes=tuple("123456789"), samples=(), subjects=())
    return Checkout(root), serve(root, "all-but-one", scope)


def test_accuracy_on_the_class_that_is_left_is_not_measured(served):
    _, record = served
    for evaluation in (record.original, record.accepted.evaluation):
        assert evaluation.find("accuracy.audit.retain") is None
        assert "one class is left" in evaluation.silence("accuracy.audit.retain")
        assert evaluation.find("accuracy.audit.forget") is not None


def test_the_gate_judges_the_rest_and_says_what_it_could_not(served):
    _, record = served
    verdict = record.accepted.verdict
    assert [finding.measurement for finding in verdict.findings] == ["accuracy.train.forget"]
    assert "Not judged: accuracy.audit.retain, since one class is left" in verdict.reason


def test_drift_and_certificate_say_the_same(served):
    checkout, record = served
    assert record.drift.accuracy is None
    assert verify_files(checkout.certificate("all-but-one"))
    page = checkout.report("all-but-one").read_text()
    assert "Not measured: one class is left" in page
