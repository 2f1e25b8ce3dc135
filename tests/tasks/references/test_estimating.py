"""How many trainings run at once, and what building is said to take."""

import pytest
from retraining import RUN, prepared

from tasks.references import estimating
from tasks.references.estimating import (
    estimate_building,
    refuse_full_disk,
    training_seconds,
)
from tasks.references.plan import plan_references
from tasks.running import local
from unlearn_core.errors import PipelineError, SetupError
from unlearn_core.records.artifact import Recipe
from unlearn_core.records.reference import BuildEstimate, TrialTraining

TRIAL = TrialTraining(seconds_per_step=0.5, peak_memory_mib=300.0, model_mib=10.0, start_seconds=3.0)


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    return prepared(tmp_path_factory.mktemp("estimating") / "checkout")


@pytest.fixture(scope="module")
def plan(checkout):
    return plan_references(checkout, RUN, count=3, shadows=0)


@pytest.fixture
def training(plan):
    return plan.wanted[plan.missing[0]].training


@pytest.fixture
def steps_are_known(monkeypatch):
    """Let the steps cost what is known, and tell how many processes took them."""
    asked = []

    def try_together(_pool, _training, count):
        asked.append(count)
        return TRIAL if count == 1 else TrialTraining(**{**dict(TRIAL), "seconds_per_step": 0.8})

    monkeypatch.setattr(estimating, "_try_together", try_together)
    monkeypatch.setattr(local, "cores", lambda: 2)
    monkeypatch.setattr(local, "memory_available_mib", lambda: 10000.0)
    return asked


def test_a_training_takes_its_start_and_every_step_of_every_epoch(plan):
    wanted = plan.wanted[plan.missing[0]]
    recipe = Recipe(epochs=4, batch_size=100)
    training = wanted.training.model_copy(update={"recipe": recipe})
    longer = type(wanted)(training, rows=101, title="one")
    assert training_seconds(TRIAL, longer) == 3.0 + 0.5 * 2 * 4


def test_the_estimate_is_of_as_many_at_once_as_there_will_be(checkout, plan, steps_are_known):
    found = estimate_building(checkout, plan)
    assert steps_are_known == [1, 2]
    assert (found.models, found.finished, found.missing, found.at_once) == (3, 0, 3, 2)
    each = 3.0 + 0.8 * (plan.wanted[plan.missing[0]].rows // 128 + 1)
    # The process that trains two starts once.
    assert (found.seconds_each, found.seconds) == pytest.approx((each, 2 * each - 3.0))
    assert (found.memory_mib, found.disk_mib) == (600.0, 60.0)


def test_all_at_once_take_no_more_memory_than_there_is(checkout, plan, steps_are_known, monkeypatch):
    monkeypatch.setattr(local, "memory_available_mib", lambda: 660.0)
    assert estimate_building(checkout, plan).at_once == 1
    monkeypatch.setattr(local, "memory_available_mib", lambda: 670.0)
    assert estimate_building(checkout, plan).at_once == 2


def test_fewer_at_once_may_be_asked_for(checkout, plan, steps_are_known):
    assert estimate_building(checkout, plan, at_most=1).at_once == 1
    assert steps_are_known == [1]


def test_where_nothing_is_missing_nothing_is_tried(checkout, plan, steps_are_known):
    finished = type(plan)(plan.wanted, missing=())
    assert estimate_building(checkout, finished) == BuildEstimate(models=3, finished=3)
    assert steps_are_known == []


def test_steps_that_cannot_be_taken_are_an_error_that_says_why(checkout, plan):
    name = plan.missing[0]
    wanted = plan.wanted[name]
    other = type(wanted)(wanted.training.model_copy(update={"torch": "0.1"}), wanted.rows, wanted.title)
    with pytest.raises(PipelineError, match="of training failed: torch changed since"):
        estimate_building(checkout, type(plan)({name: other}, (name,)))


def test_a_disk_that_is_too_small_is_refused_before_anything_is_trained():
    small = BuildEstimate(models=2, finished=0, disk_mib=101.0, disk_free_mib=100.0)
    with pytest.raises(SetupError, match=r"101 MiB of disk.*100 MiB are free"):
        refuse_full_disk(small)
    refuse_full_disk(small.model_copy(update={"disk_free_mib": 101.0}))
