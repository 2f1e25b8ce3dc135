"""``lethe calibrate``: what it trains, keeps and says, and deletions that are judged by it, or not."""

import base64
import json
import shutil

import pytest
import torch
from templates import copied, prepared_checkout
from world import ANYTHING, NOISE, SMALL, lethe

from flows.cli.lethe_verify import main as verify
from tasks.checkout.checkout import Checkout
from tasks.checkout.files import read_record, write_record
from tasks.checkout.params import write_params
from tasks.computing.checkpoints import WEIGHTS, load_checkpoint, read_checkpoint_card, save_checkpoint
from tasks.data.datasets import read_manifest
from tasks.evidence.purged import keep_purge
from tasks.measuring.calibrated import calibration_file, find_calibration, read_calibration
from unlearn_core.audit.envelope import decode_envelope, read_judged
from unlearn_core.errors import PipelineError
from unlearn_core.records.calibration import Calibration, CalibrationReport
from unlearn_core.records.certificate import DeletionCertificate
from unlearn_core.records.purge import PurgeRecord

pytestmark = [*NOISE, pytest.mark.long]

ASKED = ("calibrate", "--kind", "samples", "--count", "12", "--coverage", "0.5", "--adversaries", "0")
POLICY = {
    **SMALL["policy"],
    "samples": [{**ANYTHING, "above": 0.5, "below": 0.5}],
    "drift": {"max_requests": 4, "max_weight_distance": 8.0},
    "when_inconclusive": "accept_with_note",
}
"""With a budget of which half may be spent before the calibration is of another model."""


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
        (("--coverage", "0.95"), "of samples there would be 8, so 11 are missing"),
        (("--count", "8", "--coverage", "0.5"), "trainings for samples, of 8 pseudo-requests, are too few"),
        (
            ("--kind", "classes", "--count", "5", "--coverage", "0.5"),
            "It takes 3, and 4 pseudo-requests besides those of two.",
        ),
        (("--kind", "sample"), "'sample' is no kind of request; did you mean"),
    ],
)
def test_too_few_are_refused_before_anything_is_trained(calibrated, options, said):
    root, *_ = calibrated
    code, _, err = lethe(root, "calibrate", "--kind", "samples", "--count", "12", *options)
    assert code == 2
    assert said in " ".join(err.split())


@pytest.fixture(scope="module")
def unasked(calibrated, tmp_path_factory):
    """The calibrated checkout before any request."""
    return shutil.copytree(calibrated[0], tmp_path_factory.mktemp("unasked") / "project", symlinks=True)


@pytest.fixture(scope="module")
def judged(calibrated, unasked):
    """A request in the calibration's range, and what was said while it was served."""
    root, *_ = calibrated
    rows = read_manifest(Checkout(root).dataset)
    ids = rows.sample_ids[rows.splits == "train"][:3]
    code, _, err = lethe(root, "delete", "r-in", *(part for name in ids for part in ("--sample", str(name))))
    assert code == 0, err
    return root, err


@pytest.fixture(scope="module")
def served(judged, tmp_path_factory):
    """The checkout after that request."""
    return copied(judged[0], tmp_path_factory.mktemp("served") / "project")


@pytest.fixture(scope="module")
def beyond(judged, served):
    """A request out of its range, on the model that the first one left."""
    root, _ = judged
    for command in (("next",), ("delete", "r-out", "--class", "3")):
        code, _, err = lethe(root, *command)
        assert code == 0, err
    return root, err


def certificate_of(root, name):
    envelope = json.loads(Checkout(root).certificate(name).read_text())
    statement = json.loads(base64.b64decode(envelope["payload"]))
    return DeletionCertificate.parse(json.dumps(statement["predicate"]))


def test_a_request_in_range_is_judged_without_a_retrained_model(judged):
    root, told = judged
    certified = certificate_of(root, "r-in")
    found = certified.judgement
    assert certified.method["name"] == "finetune"
    assert "no model is retrained to compare with" in told
    assert (found.references, found.verdict.level) == ((), "EC")
    assert found.calibration is not None
    assert found.policy.calibration == found.calibration.digest


def test_a_model_that_somebody_hands_in_is_judged_by_the_calibration_too(judged):
    root, _ = judged
    code, out, err = lethe(
        root, "judge", str(Checkout(root).unlearned / WEIGHTS), "--request", "r-in", "--json"
    )
    assert code in {0, 8}, (out, err)
    told = json.loads(out)
    raw = (root / told["certificate"]).read_bytes()
    found, own = read_judged(decode_envelope(raw).payload).predicate, certificate_of(root, "r-in").judgement
    assert "no model is retrained to compare with" in err
    assert (found.judgement.verdict, found.judgement.calibration) == (own.verdict, own.calibration)
    assert found.calibrated_request.rows == 3
    assert "No model was retrained to compare with" in (root / told["report"]).read_text()
    assert verify([str(root / told["certificate"])]) == code


def test_the_report_says_that_nothing_was_retrained_to_compare_with(judged):
    root, _ = judged
    page = (Checkout(root).evidence("r-in") / "report.html").read_text()
    assert "No model was retrained to compare with" in page
    assert "Fixed limits were used" not in page
    assert "By every agreed test" not in page


def test_a_request_out_of_range_falls_back_and_says_why(beyond):
    root, told = beyond
    found, why = certificate_of(root, "r-out").judgement, "it is for requests of samples, not of classes"
    assert f"{why} (policy.otherwise: build)" in told
    assert (len(found.references), found.verdict.level, found.calibration) == (1, "E1", None)
    assert found.not_calibrated == why
    assert why in (Checkout(root).evidence("r-out") / "report.html").read_text()


def test_the_certificates_verify_and_say_what_they_rest_on(beyond, capsys):
    root, _ = beyond
    for name, said in (("r-in", "there is none; a calibration stands in"), ("r-out", "not of classes")):
        assert verify([str(Checkout(root).certificate(name))]) == 0
        assert said in " ".join(capsys.readouterr().out.split())


FLAT = (
    "import torch\n\n\ndef net(classes, input_shape):\n    return torch.nn.Sequential(\n"
    "        torch.nn.Flatten(), torch.nn.Linear(64, 32), torch.nn.ReLU(),\n"
    "        torch.nn.Linear(32, classes)\n    )\n"
)


@pytest.mark.parametrize(
    "changes",
    [{"run": {"seed": 7, "threads": 1}}, {"parent": {**SMALL["parent"], "architecture": "flat:net"}}],
)
def test_a_new_training_in_full_and_another_net_are_not_what_was_calibrated(unasked, tmp_path, changes):
    root = shutil.copytree(unasked, tmp_path / "project", symlinks=True)
    (root / "flat.py").write_text(FLAT)
    write_params(root, changes)
    code, _, err = lethe(root, "train")
    assert code == 0, err
    rows = read_manifest(Checkout(root).dataset)
    first = rows.sample_ids[rows.splits == "train"][0]
    code, out, err = lethe(root, "delete", "r-new", "--sample", str(first), "--dry-run")
    assert code == 0, err
    trained = read_checkpoint_card(Checkout(root).parent).weights
    assert f"this one was trained in full as {trained} (policy.otherwise: build)" in " ".join(
        (out + err).split()
    )


def descend(checkout, *, deletions, factor):
    """Make the parent one that deletions have made of the calibrated model."""
    model, card = load_checkpoint(checkout.parent)
    shutil.copytree(checkout.parent, checkout.generation("models", card.weights), dirs_exist_ok=True)
    with torch.no_grad():
        for weight in model.parameters():
            weight.mul_(factor)
    later = card.model_copy(
        update={"parent": card.weights, "trained": card.weights, "deletions": deletions, "method": "svd"}
    )
    save_checkpoint(checkout.parent, model, later)
    return card.weights


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"deletions": 2, "factor": 1.5}, "no model is retrained to compare with"),
        (
            {"deletions": 3, "factor": 1.5},
            "it holds for 2 deletions on one model; there have been 3 (policy.otherwise: build)",
        ),
        (
            {"deletions": 2, "factor": 6.0},
            "it holds for a weight distance of 4 from the calibrated model; it is 5",
        ),
    ],
)
def test_a_model_that_has_drifted_too_far_is_not_what_was_calibrated(served, tmp_path, capsys, changes, said):
    checkout = Checkout(copied(served, tmp_path / "project"))
    descend(checkout, **changes)
    found = find_calibration(checkout, checkout.params.policy)
    assert said in capsys.readouterr().err
    assert (found.calibration is None) == (found.why_not is not None) == ("it holds for" in said)


def test_once_a_purge_has_erased_the_calibrated_model_nothing_is_judged_by_it(served, tmp_path, capsys):
    checkout = Checkout(copied(served, tmp_path / "project"))
    weights = descend(checkout, deletions=1, factor=1.1)
    shutil.rmtree(checkout.generation("models", weights))
    purge = PurgeRecord(
        request="r-1", plan=weights, started="2026-01-01T00:00:00Z", data=(), models=(weights,)
    )
    write_record(checkout.purge_record("r-1"), purge)
    with pytest.raises(PipelineError, match="does not exist"):
        find_calibration(checkout, checkout.params.policy)
    keep_purge(checkout, purge)
    assert find_calibration(checkout, checkout.params.policy).calibration is None
    assert "a purge has erased the calibrated model" in capsys.readouterr().err


def test_another_record_in_the_place_of_the_calibration_is_refused(served, tmp_path):
    checkout = Checkout(copied(served, tmp_path / "project"))
    policy = checkout.params.policy
    path = calibration_file(checkout, policy.calibration)
    found = read_record(path, Calibration)
    path.unlink()
    with pytest.raises(PipelineError, match="does not exist; fetch it"):
        read_calibration(checkout, policy)
    write_record(path, found.model_copy(update={"deletions": 1000}))
    with pytest.raises(PipelineError, match=r"policy\.calibration names"):
        read_calibration(checkout, policy)
