"""Where the policy asks for it, no model comes into use before a person has said so."""

import base64
import json
import shutil

import pytest
from templates import prepared_checkout
from world import NOISE, SMALL, lethe

from flows.stages.pipeline import DELETION, run_due
from tasks.checkout.checkout import Checkout
from tasks.checkout.files import read_record
from tasks.evidence.approving import decide
from tasks.evidence.bundle import gather_bundle
from tasks.tracking.registry import champion
from tasks.tracking.runs import tracking_of
from unlearn_core.audit.certificate import check
from unlearn_core.errors import EvidenceError, GateError
from unlearn_core.records.approval import Approval
from unlearn_core.records.certificate import Statement
from unlearn_core.records.policy import Policy

pytestmark = [*NOISE, pytest.mark.long]


@pytest.fixture(scope="module")
def judged(own_folders, tmp_path_factory):
    """A checkout whose deletion was accepted by the gate, and waits for a person."""
    policy = {**SMALL["policy"], "approval": {"within_h": 24}}
    root = prepared_checkout(tmp_path_factory.mktemp("approval") / "project", policy=policy)
    for name in ("split", "unlearn"):
        run_due(Checkout(root), name, DELETION[name])
    return root


@pytest.fixture
def project(judged, tmp_path):
    return shutil.copytree(judged, tmp_path / "project", ignore=shutil.ignore_patterns("cache", "tmp"))


def certified(project):
    DELETION["certify"](Checkout(project))
    return champion(tracking_of(Checkout(project)), "digits")


def test_nothing_is_certified_before_somebody_has_decided(project):
    with pytest.raises(GateError, match=r"nobody has decided yet; .* `lethe approve demo --by NAME`"):
        certified(project)
    assert champion(tracking_of(Checkout(project)), "digits") is None
    assert not Checkout(project).certificate("demo").exists()


def test_an_approved_model_comes_into_use(project):
    code, out, err = lethe(project, "approve", "demo", "--by", "privacy office", "--reason", "ticket 17")
    assert (code, out) == (0, "request demo: approved by privacy office\n"), err
    assert certified(project).version == 1
    approval = read_record(Checkout(project).approval("demo"), Approval)
    assert (approval.approved, approval.by, approval.reason) == (True, "privacy office", "ticket 17")
    bundle = gather_bundle(Checkout(project), "demo")
    assert bundle.contents["approval.json"] == approval.canonical()
    statement = json.loads(base64.b64decode(json.loads(bundle.contents["certificate.dsse.json"])["payload"]))
    assert statement["predicate"]["approval"] == approval.digest


def test_what_was_certified_is_not_decided_again(project):
    checkout = Checkout(project)
    decide(checkout, "demo", approved=False, by="privacy office", reason="too early")
    decide(checkout, "demo", approved=True, by="privacy office", reason=None)
    DELETION["certify"](Checkout(project))
    before = checkout.approval("demo").read_bytes()
    code, _, err = lethe(project, "approve", "demo", "--by", "somebody", "--refuse")
    assert code == 2
    assert "is already certified, with the decision made then" in err
    assert checkout.approval("demo").read_bytes() == before


def test_a_certificate_without_the_approval_that_its_policy_asks_for_is_false(project):
    decide(Checkout(project), "demo", approved=True, by="privacy office", reason=None)
    (released,) = DELETION["certify"](Checkout(project))
    raw = (project / released.certificate).read_bytes()
    statement = json.loads(base64.b64decode(json.loads(raw)["payload"]))
    del statement["predicate"]["approval"]
    with pytest.raises(EvidenceError, match=r"approval: the policy asks for a person's, .* has none"):
        check(Statement.model_validate_json(json.dumps(statement)))


def test_a_decision_from_the_future_does_not_count(project, monkeypatch):
    monkeypatch.setattr("tasks.evidence.approving.now", lambda: "2999-01-01T00:00:00Z")
    decide(Checkout(project), "demo", approved=True, by="privacy office", reason=None)
    monkeypatch.undo()
    with pytest.raises(GateError, match="decided at 2999-01-01T00:00:00Z, in the future"):
        certified(project)
    assert champion(tracking_of(Checkout(project)), "digits") is None


def test_a_refused_model_does_not(project):
    code, _, err = lethe(project, "approve", "demo", "--by", "privacy office", "--refuse")
    assert code == 0, err
    with pytest.raises(GateError, match="refused by privacy office; the champion stays"):
        certified(project)
    assert champion(tracking_of(Checkout(project)), "digits") is None


def test_a_decision_about_another_model_does_not_count(project):
    checkout = Checkout(project)
    decision = decide(checkout, "demo", approved=True, by="privacy office", reason=None)
    path = checkout.approval("demo")
    path.write_bytes(Approval(**{**dict(decision), "deletion": "sha256:" + "0" * 64}).canonical())
    with pytest.raises(GateError, match="nobody has decided yet"):
        certified(project)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("r-2", "--by", "x"), "is of 'demo', not of 'r-2'"),
        (("demo", "--by", ""), "by: String should match pattern"),
        (("demo", "--by", "x", "--reason", "a\nb"), "reason: String should match pattern"),
    ],
)
def test_a_wrong_decision_is_refused_and_leaves_nothing(project, arguments, expected):
    code, _, err = lethe(project, "approve", *arguments)
    assert code == 2
    assert expected in err
    assert not Checkout(project).approval("demo").exists()


def test_a_policy_that_asks_for_nobody_has_the_digest_that_it_always_had():
    policy = Policy.model_validate(
        {"ladder": {"classes": ["svd"], "samples": ["pgu"]}, "classes": SMALL["policy"]["classes"],
         "samples": SMALL["policy"]["samples"]},
        strict=False,
    )  # fmt: skip
    assert b"approval" not in policy.canonical()
    asking = Policy.parse(policy.canonical()[:-1] + b',"approval":{"within_h":24}}')
    assert b'"approval":{"within_h":24' in asking.canonical()
    assert asking.digest != policy.digest
