"""Where the settings on a leaderboard are from: defaults, a preset, a person, or a search."""

import pytest
from templates import prepared_checkout
from world import NOISE, content

from tasks.benchmarking.leaderboard.origins import settings_origin
from tasks.benchmarking.leaderboard.words import settings_of
from tasks.checkout.checkout import Checkout
from tasks.checkout.files import write_record
from tasks.checkout.params import write_params
from unlearn_core.records.benchmark import MethodSummary
from unlearn_core.records.evaluation import Cost
from unlearn_core.records.tuning import Choice, TuningRecord

pytestmark = NOISE

COST = Cost(seconds=1.0, peak_memory_mib=1.0, samples_seen=1)


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    root = prepared_checkout(tmp_path_factory.mktemp("origins") / "project")
    write_params(
        root, {"methods": {"svd": {}, "scrub": {}, "pgu": {"retained_variance": 0.8}, "retrain": {}}}
    )
    return root


def searched(chosen):
    return TuningRecord(
        request="r-1",
        method="pgu",
        split=content("split"),
        parent=content("parent"),
        splits={},
        space={"retained_variance": Choice(options=(0.8, 0.9))},
        seed=0,
        trials=({"values": {}, "state": "complete", "score": 1.0, "cost": COST},) * 7,
        untuned=None,
        chosen=chosen,
        score=1.0,
        cost=COST,
    )


@pytest.mark.parametrize(
    ("name", "source"), [("svd", "default"), ("scrub", "preset"), ("pgu", "given"), ("original", None)]
)
def test_it_is_told_by_what_params_yaml_and_the_presets_say(root, name, source):
    origin = settings_origin(Checkout(root), name)
    assert (origin and origin.source) == source


@pytest.mark.parametrize(("found", "source"), [(0.8, "tuned"), (0.9, "given")])
def test_a_search_counts_if_its_values_are_in_use(root, found, source):
    checkout = Checkout(root)
    path = checkout.tuning("r-1", "pgu")
    write_record(path, searched({"retained_variance": found}))
    try:
        assert settings_origin(checkout, "pgu").source == source
    finally:
        path.unlink()


def test_it_is_written_with_the_number_of_trials_and_the_digest(root):
    checkout = Checkout(root)
    path = checkout.tuning("r-1", "pgu")
    write_record(path, searched({"retained_variance": 0.8}))
    origin = settings_origin(checkout, "pgu")
    path.unlink()
    told = MethodSummary(
        kind="class", method="pgu", cases=1, gaps=(), average_gap=None, cost=None, outcomes={}, origin=origin
    )
    assert settings_of(told) == ("tuned, 7 trials", origin.settings[7:15])
