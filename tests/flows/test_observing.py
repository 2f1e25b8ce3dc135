"""What an evaluation observes beside the views: once for each model and split, and bounded."""

import pytest
from world import NOISE, checkout

from flows.stages.pipeline import DELETION, PREPARATION, run_due
from tasks.checkout.layout import Layout
from tasks.checkout.params import read_section
from tasks.computing import observing
from tasks.computing.observing import observed_views
from tasks.measuring.evaluation import assess
from tasks.references.retrained import References
from unlearn_core.records.params import RunParams

pytestmark = NOISE


@pytest.fixture(scope="module")
def layout(own_folders, tmp_path_factory):
    """A checkout with a parent and a split, and nothing observed."""
    root = checkout(tmp_path_factory.mktemp("observing") / "project")
    for name, stage in {**PREPARATION, "split": DELETION["split"]}.items():
        run_due(root, name, stage)
    return Layout(root)


@pytest.fixture
def run(layout):
    return read_section(layout.root, "run", RunParams)


def itself(layout):
    """The parent in place of two retrained models."""
    return References((layout.parent, layout.parent), ())


def values(evaluation):
    return {entry.name: entry.value for entry in evaluation.measurements}


def test_model_alone_is_compared_with_an_untrained_net_and_relearns_at_once(layout, run):
    found = values(assess(layout, layout.parent, run))
    assert found["zrf.train.forget"] < 1
    assert (found["relearn.steps"], found["relearn.censored"]) == (0, 0)
    assert not any(name.startswith(("weight_distance", "js.", "average_gap")) for name in found)


def test_model_as_its_own_references_is_at_every_neutral_value(layout, run):
    found = values(assess(layout, layout.parent, run, references=itself(layout)))
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
    ]
    assert {name: found[name] for name in names} == dict.fromkeys(names, 0)
    assert found["relearn.ratio"] == 1


def test_nothing_is_observed_twice(layout, run, monkeypatch):
    first = assess(layout, layout.parent, run, references=itself(layout))

    def again(*_arguments, **_settings):
        raise AssertionError("observed twice")

    monkeypatch.setattr(observing, "observe", again)
    monkeypatch.setattr(observing, "relearn", again)
    assert assess(layout, layout.parent, run, references=itself(layout)) == first


def test_another_seed_is_another_untrained_net_and_another_lesson(layout, run):
    assess(layout, layout.parent, run)
    before = set(layout.lethe.glob("*/*"))
    assess(layout, layout.parent, run.model_copy(update={"seed": run.seed + 1}))
    made = {path.parent.name for path in set(layout.lethe.glob("*/*")) - before}
    assert made == {"outputs", "relearning"}


def test_what_one_device_said_is_not_taken_for_what_another_would(layout, run, monkeypatch):
    assess(layout, layout.parent, run)
    before = set(layout.lethe.glob("*/*"))
    monkeypatch.setattr(observing, "device_name", lambda: "another")
    observed_views(layout, layout.parent, run)
    (made,) = set(layout.lethe.glob("*/*")) - before
    assert made.parent.name == "outputs"
