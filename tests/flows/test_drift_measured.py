"""Drift along a sequence of deletions, and what the policy's budget makes of it."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from sequence import LENIENT, of_class, of_samples, prepare, serve
from templates import copied, prepared_checkout
from world import NOISE

from flows.stages.unlearn import climb_ladder
from tasks.checkout.checkout import Checkout
from tasks.checkout.files import read_record
from tasks.checkout.params import read_params, read_values, write_params
from tasks.computing.checkpoints import load_checkpoint, read_checkpoint_card
from tasks.computing.materials import load_materials
from tasks.data.pool import Pool
from tasks.evidence.verification import verify_files
from tasks.lifecycle.releases import continue_from_champion
from tasks.measuring.drift import measure_drift
from tasks.tracking.runs import deletion_run, tracking_of
from unlearn_core.drift import layer_drifts, stale_by
from unlearn_core.errors import PipelineError
from unlearn_core.moments import collect
from unlearn_core.records.deletion import DeletionRecord, SplitRecord
from unlearn_core.records.drift import Drift

pytestmark = [*NOISE, pytest.mark.long]


@dataclass(frozen=True)
class Sequence:
    """A checkout after two requests, and what each of them wrote down."""

    root: Path
    first: DeletionRecord
    second: DeletionRecord

    @property
    def checkout(self) -> Checkout:
        return Checkout(self.root)


@pytest.fixture(scope="module")
def served(own_folders, tmp_path_factory):
    root = prepared_checkout(tmp_path_factory.mktemp("sequence") / "project", policy=LENIENT)
    first = serve(root, "r-1", of_class("3"))
    continue_from_champion(Checkout(root))
    prepare(root)
    return Sequence(root, first, serve(root, "r-2", of_samples(root, 20)))


@pytest.fixture
def copy(served, tmp_path):
    """The same checkout once more, with a tracking store and DVC's cache of its own."""
    return copied(served.root, tmp_path / "project")


def with_budget(root, **budget):
    write_params(root, {"policy": {**read_values(root)["policy"], "drift": budget}})


def test_the_first_request_drifts_from_the_trained_parent(served):
    assert served.first.drift.origin == served.first.original.model
    assert served.first.drift.requests == 1


def test_the_second_request_still_drifts_from_the_trained_model(served):
    assert served.second.drift.origin == served.first.original.model
    assert served.second.drift.origin != served.second.original.model
    assert served.second.drift.requests == 2


def test_what_drift_says_is_so(served):
    checkout = served.checkout
    origin, now = (load_checkpoint(folder)[0] for folder in (origin_of(served), checkout.unlearned))
    parent = load_checkpoint(checkout.parent)[0]
    retained = load_materials(checkout, Pool(checkout, torch.device("cpu"))).retain
    staleness = stale_by(collect(parent, retained), collect(now, retained))
    expected = layer_drifts(now, origin, collect(origin, retained), staleness)
    for found, wanted in zip(served.second.drift.layers, expected, strict=True):
        assert found.layer == wanted.layer
        assert found.weight_distance == wanted.weight_distance > 0
        assert found.retained_energy == pytest.approx(wanted.retained_energy, rel=1e-6)
        assert found.staleness == pytest.approx(wanted.staleness, rel=1e-4, abs=1e-6)


def origin_of(served):
    return served.checkout.generation("models", served.second.drift.origin)


def test_accuracies_are_of_the_same_audit_samples(served):
    accepted = served.second.accepted
    assert served.second.drift.accuracy == accepted.evaluation.value("accuracy.audit.retain")
    assert served.first.drift.accuracy_at_origin == served.first.original.value("accuracy.audit.retain")


def test_the_card_remembers_the_trained_model(served):
    card = read_checkpoint_card(served.checkout.unlearned)
    assert (card.trained, card.deletions) == (served.first.original.model, 2)
    assert card.parent == served.first.accepted.unlearning.weights


def test_the_trained_model_is_kept_under_version_control(served):
    folder = origin_of(served)
    assert read_checkpoint_card(folder).trained is None
    assert folder.with_name(f"{folder.name}.dvc").is_file()


def test_the_certificate_says_how_far_the_model_has_drifted(served):
    import base64
    import json

    path = served.checkout.certificate("r-2")
    verify_files(path)
    predicate = json.loads(base64.b64decode(json.loads(path.read_bytes())["payload"]))["predicate"]
    told = served.second.drift.model_dump(mode="json", exclude={"layers", "schema_version"})
    assert predicate["drift"] == told


def test_the_run_has_the_drift_as_metrics_and_in_full(served, tmp_path):
    split = read_record(served.checkout.split / "split.json", SplitRecord)
    tracking = tracking_of(Checkout(served.root))
    run = deletion_run(tracking, request_id="r-2", key=split.deletion_key)
    metrics = tracking.client.get_run(run.id).data.metrics
    assert metrics["drift.requests"] == 2
    assert metrics["drift.retained_energy"] == served.second.drift.retained_energy
    path = tracking.client.download_artifacts(run.id, "drift.json", str(tmp_path))
    assert Drift.parse(Path(path).read_bytes()) == served.second.drift


def test_drift_measured_twice_is_the_same(served):
    checkout = served.checkout
    run = read_params(served.root).run
    assert measure_drift(checkout, checkout.unlearned, run) == served.second.drift


def test_a_spent_budget_leaves_only_retraining(copy):
    with_budget(copy, max_requests=1)
    record = climb_ladder(Checkout(copy))
    assert record.tried == ("retrain",)
    why = next(entry.why for entry in record.left_out if entry.method == "finetune")
    assert "this would be deletion 2 since the model was trained in full, 1 are allowed" in why


def test_retraining_ends_the_drift(copy):
    with_budget(copy, max_requests=1)
    record = climb_ladder(Checkout(copy))
    card = read_checkpoint_card(Checkout(copy).unlearned)
    assert (card.trained, card.deletions) == (None, 0)
    assert (record.drift.origin, record.drift.requests) == (card.weights, 0)
    assert record.drift.weight_distance == 0


def test_an_overdrawn_budget_leaves_only_retraining(copy):
    policy = read_values(copy)["policy"]
    ladder = {**policy["ladder"], "samples": ["finetune", "pgu"]}
    methods = {**read_params(copy).methods, "pgu": {}}
    write_params(copy, {"policy": {**policy, "ladder": ladder}, "methods": methods})
    with_budget(copy, max_weight_distance=0.0)
    record = climb_ladder(Checkout(copy))
    refused = record.rungs[0]
    assert record.tried == ("finetune", "retrain")
    assert refused.why.startswith("The drift budget is overdrawn: weight distance 0.")
    assert refused.has_drifted
    assert {entry.method: entry.why for entry in record.left_out}["pgu"] == refused.why


def test_a_model_beyond_the_budget_is_told_as_drifted(copy):
    from tasks.checkout.environment import now
    from tasks.evidence.certification import gather_certificates

    with_budget(copy, max_weight_distance=0.0)
    (certificate,) = gather_certificates(Checkout(copy), climb_ladder(Checkout(copy)), started=now())
    attempts = certificate.attempts
    assert (attempts[0].method, attempts[0].verdict) == ("finetune", "drifted")


def test_a_trained_model_that_is_not_here_is_asked_for(served, copy):
    shutil.rmtree(Checkout(copy).generation("models", served.second.drift.origin))
    with pytest.raises(PipelineError, match="does not exist; fetch it with `dvc checkout` or `dvc pull`"):
        climb_ladder(Checkout(copy))
