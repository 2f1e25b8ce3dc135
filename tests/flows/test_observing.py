"""What an evaluation observes beside the views: once for each model and split, and bounded."""

import pytest
import torch
from templates import prepared_checkout
from world import NOISE

from flows.stages.pipeline import DELETION, run_due
from tasks.checkout.checkout import Checkout
from tasks.computing import observing, teaching
from tasks.computing.checkpoints import load_checkpoint, save_checkpoint
from tasks.computing.observing import observed_views
from tasks.measuring.evaluation import assess
from tasks.references.retrained import References
from unlearn_core import viewing
from unlearn_core.observations import RelearnCurve
from unlearn_core.relearning import COARSE

pytestmark = NOISE

CURVE = RelearnCurve(steps=(0,), accuracy=(1.0,), limit=50, samples=20)


@pytest.fixture(scope="module")
def checkout(own_folders, tmp_path_factory):
    """A checkout with a parent and a split, and nothing observed."""
    root = prepared_checkout(tmp_path_factory.mktemp("observing") / "project")
    run_due(Checkout(root), "split", DELETION["split"])
    return Checkout(root)


@pytest.fixture
def run(checkout):
    return checkout.params.run


def itself(checkout):
    """The parent in place of two retrained models."""
    return References((checkout.parent, checkout.parent), ())


def values(evaluation):
    return {entry.name: entry.value for entry in evaluation.measurements}


def test_model_alone_is_compared_with_an_untrained_net_and_relearns_at_once(checkout, run):
    found = values(assess(checkout, checkout.parent, run))
    assert found["zrf.train.forget"] < 1
    assert (found["relearn.steps"], found["relearn.censored"]) == (0, 0)
    assert not any(name.startswith(("weight_distance", "js.", "average_gap")) for name in found)


def test_model_as_its_own_references_is_at_every_neutral_value(checkout, run):
    found = values(assess(checkout, checkout.parent, run, references=itself(checkout)))
    names = [
        "weight_distance.whole",
        "weight_distance.floor.whole",
        "weight_distance.layer.head",
        "js.train.forget",
        "js.floor.test.retain",
        "activation.floor.train.forget",
        "neighbour_leakage.test.forget",
        "zrf.gap.train.forget",
        "average_gap.mean",
        "probe.gap",
        "probe.few.gap",
        "probe.depth_1.gap",
        "probe.depth_2.gap",
        "probe.depth_3.gap",
        "recovery.gap",
    ]
    assert {name: found[name] for name in names} == dict.fromkeys(names, 0)
    assert found["relearn.ratio"] == found["relearn.new_head.ratio"] == 1
    assert found["activation.unchanged"] == 1
    assert found["recovery.accuracy"] > 0.9
    assert not any("altered" in name for name in found if name.startswith(("js", "activation", "neighbour")))


def test_two_models_are_shown_the_same_altered_rows_altered_otherwise(checkout, run):
    held_out, other = (
        observed_views(checkout, folder, run) for folder in (checkout.parent, _perturbed(checkout))
    )
    for side in ("forget", "retain"):
        mine, theirs = held_out["altered", side], other["altered", side]
        assert mine.labels.equal(theirs.labels)
        assert not mine.features.isclose(theirs.features, atol=1e-3).all()
        for part in ("audit", "train"):
            assert held_out[part, side].features.isclose(other[part, side].features, atol=1e-3).all()


def _perturbed(checkout):
    """Return a copy of the parent whose weights are others by a hair."""
    model, card = load_checkpoint(checkout.parent)
    with torch.no_grad():
        next(model.parameters()).mul_(1 + 1e-6)
    folder = checkout.root / "perturbed"
    save_checkpoint(folder, model, card)
    return folder


def test_nothing_is_observed_twice(checkout, run, monkeypatch):
    first = assess(checkout, checkout.parent, run, references=itself(checkout))

    def again(*_arguments, **_settings):
        raise AssertionError("observed twice")

    monkeypatch.setattr(observing, "observe", again)
    monkeypatch.setattr(observing, "look_inside", again)
    monkeypatch.setattr(teaching, "relearn", again)
    monkeypatch.setattr(teaching, "relearn_with_new_head", again)
    assert assess(checkout, checkout.parent, run, references=itself(checkout)) == first


def test_large_views_are_sampled_as_the_bands_ask_and_the_evaluation_says_so(checkout, run, monkeypatch):
    whole = assess(checkout, checkout.parent, run)
    assert whole.sampled == ()
    monkeypatch.setattr(viewing, "FEWEST_SHOWN", 20)
    monkeypatch.setattr(viewing, "SHOWN_PER_CLASS", 1)
    monkeypatch.setattr(observing, "counts_for", lambda _bands: {"forget": 20, "retain": 30})
    taught = []
    monkeypatch.setattr(teaching, "relearn", lambda *given, **terms: (taught.append(terms), CURVE)[1])
    part = assess(checkout, checkout.parent, run)
    shown = {one.view: one.shown for one in part.sampled}
    assert {name: shown[name] for name in ("train.forget", "train.retain", "audit.retain")} == {
        "train.forget": 20,
        "train.retain": 30,
        "audit.retain": 30,
    }
    assert all(one.shown < one.of for one in part.sampled)
    assert part.get("accuracy.train.retain").samples == 30
    assert {terms["terms"] for terms in taught} == {COARSE}
    sizes = {one.view: one.of for one in part.sampled}
    assert whole.get("accuracy.train.retain").samples == sizes["train.retain"]


def test_a_policy_may_ask_for_whole_views(checkout, run, monkeypatch):
    monkeypatch.setattr(observing, "counts_for", lambda _bands: {"forget": 20, "retain": 30})
    policy = checkout.params.policy.model_copy(update={"sampling": "none"})
    asking = Checkout(checkout.root)
    vars(asking)["params"] = checkout.params.model_copy(update={"policy": policy})
    assert assess(asking, checkout.parent, run).sampled == ()


def test_another_seed_is_another_untrained_net_and_another_lesson(checkout, run):
    assess(checkout, checkout.parent, run)
    before = set(checkout.lethe.glob("*/*"))
    assess(checkout, checkout.parent, run.model_copy(update={"seed": run.seed + 1}))
    made = {path.parent.name for path in set(checkout.lethe.glob("*/*")) - before}
    assert made == {"outputs", "relearning"}


def test_what_one_device_said_is_not_taken_for_what_another_would(checkout, run, monkeypatch):
    assess(checkout, checkout.parent, run)
    before = set(checkout.lethe.glob("*/*"))
    monkeypatch.setattr(observing, "device_name", lambda: "another")
    observed_views(checkout, checkout.parent, run)
    (made,) = set(checkout.lethe.glob("*/*")) - before
    assert made.parent.name == "outputs"
