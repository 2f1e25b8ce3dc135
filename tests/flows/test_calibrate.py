"""``lethe calibrate``: what it trains, keeps and says, and deletions that are judged by it, or not."""

import base64
import json

import pytest
from templates import prepared_checkout
from world import ANYTHING, NOISE, SMALL, lethe

from tasks.checkout.checkout import Checkout
from tasks.data.datasets import read_manifest
from tasks.measuring.calibrated import calibration_file, read_calibration
from unlearn_core.records.calibration import CalibrationReport
from unlearn_core.records.certificate import DeletionCertificate

pytestmark = [*NOISE, pytest.mark.long]

ASKED = ("calibrate", "--kind", "samples", "--count", "12", "--coverage", "0.5", "--adversaries", "0")
POLICY = {**SMALL["policy"], "samples": [{**ANYTHING, "above": 0.5, "below": 0.5}]}


@pytest.fixture(scope="module")
def calibrated(prefect_server, tmp_path_factory):
    """A checkout after the command, and what that printed."""
    root = prepared_checkout(tmp_path_factory.mktemp("calibrate") / "project", policy=POLICY)
    code, out, err = lethe(root, *ASKED, "--json")
    assert code == 0, err
    return root, CalibrationReport.parse(out), err


def test_the_record_is_pinned_and_the_policy_names_it(calibrated):
    root, report, _ = calibrated
    policy = Checkout(root).params.policy
    assert report.made is not None
    assert (policy.reference, policy.calibration) == ("calibrated", report.made.digest)
    path = calibration_file(Checkout(root), report.made.digest)
    assert path.parent.with_name(f"{path.parent.name}.dvc").is_file()
    assert read_calibration(Checkout(root), policy) == report.made


def test_every_model_is_thrown_away(calibrated):
    root, report, _ = calibrated
    assert report.made is not None
    assert report.made.cost.trainings == 3
    assert list((root / ".lethe" / "benchmark").rglob("*.safetensors")) == []
    assert list((root / "models" / "references").rglob("*.safetensors")) == []


def test_what_is_kept_names_no_sample_and_says_what_it_tells_apart(calibrated):
    _, report, _ = calibrated
    assert report.made is not None
    (kind,) = report.made.kinds
    assert (kind.kind, len(kind.folds), kind.smallest, kind.largest) == ("samples", 12, 1, 30)
    assert kind.power is not None
    assert kind.power.retrained.judged == kind.power.originals.judged == 12
    assert b"digit-" not in report.made.canonical()
    assert b"hmac" not in report.made.canonical()


def test_the_same_command_again_trains_nothing(calibrated):
    root, report, _ = calibrated
    code, out, err = lethe(root, *ASKED, "--dry-run", "--json")
    again = CalibrationReport.parse(out)
    assert (code, again.made, again.estimate.missing) == (0, None, 0), err
    assert report.estimate.missing == 3


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--coverage", "0.95"), "are missing"),
        (("--count", "8", "--coverage", "0.5"), "trainings for samples are too few"),
        (("--kind", "sample"), "'sample' is no kind of request; did you mean"),
    ],
)
def test_too_few_are_refused_before_anything_is_trained(calibrated, options, said):
    root, *_ = calibrated
    code, _, err = lethe(root, "calibrate", "--kind", "samples", "--count", "12", *options)
    assert code == 2
    assert said in err


@pytest.fixture(scope="module")
def judged(calibrated):
    """A request in the calibration's range, and one that is not."""
    root, *_ = calibrated
    rows = read_manifest(Checkout(root).dataset)
    ids = rows.sample_ids[rows.splits == "train"][:3]
    samples = [part for name in ids for part in ("--sample", str(name))]
    told = {}
    for name, scope in (("r-in", samples), ("r-out", ["--class", "3"])):
        code, _, err = lethe(root, "delete", name, *scope)
        assert code == 0, err
        told[name] = err
    return root, told


def certificate_of(root, name):
    envelope = json.loads(Checkout(root).certificate(name).read_text())
    statement = json.loads(base64.b64decode(envelope["payload"]))
    return DeletionCertificate.parse(json.dumps(statement["predicate"]))


def test_a_request_in_range_is_judged_without_a_retrained_model(judged):
    root, told = judged
    found = certificate_of(root, "r-in").judgement
    assert "no model is retrained for this request" in told["r-in"]
    assert (found.references, found.verdict.level) == ((), "EC")
    assert found.calibration is not None
    assert found.policy.calibration == found.calibration.digest


def test_a_request_out_of_range_falls_back_and_says_why(judged):
    root, told = judged
    found = certificate_of(root, "r-out").judgement
    assert "requests of samples, not of classes (policy.otherwise: build)" in told["r-out"]
    assert (len(found.references), found.verdict.level, found.calibration) == (1, "E1", None)


def test_the_certificate_verifies_and_says_what_it_rests_on(judged):
    root, _ = judged
    code, out, err = lethe(root, "verify", "--json")
    assert code == 0, err
    assert "EC" in out
