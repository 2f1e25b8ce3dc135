"""Studies on a function whose best place is known."""

from math import log10

import pytest
from world import content

from tasks.measuring.studies import Ended, GiveUp, Study
from unlearn_core.records.evaluation import Cost
from unlearn_core.records.tuning import Choice, Range, Trial

SPACE = {"rate": Range(low=1e-4, high=1.0, log=True), "kind": Choice(options=("a", "b"))}
COST = Cost(seconds=1.0, peak_memory_mib=2.0, samples_seen=3)


def score(values):
    return -abs(log10(values["rate"]) + 2) - (values["kind"] == "b")


def plain(values, report):
    return Ended(score(values), COST)


def go(study, run=plain, *, until):
    while (done := len(study.trials)) < until:
        study.try_one(SPACE, run, seed=done)
    return study.trials


@pytest.fixture
def path(tmp_path):
    return tmp_path / "folder" / "study.journal"


def test_the_best_of_many_trials_is_near_the_best_place(path):
    best = max(go(Study(path), until=30), key=lambda one: one.score)
    assert best.values["kind"] == "a"
    assert best.values["rate"] == pytest.approx(1e-2, rel=0.5)


def test_values_lie_in_the_space_and_are_short_to_write(path):
    for trial in go(Study(path), until=12):
        assert 1e-4 <= trial.values["rate"] <= 1.0
        assert len(f"{trial.values['rate']:.10g}".lstrip("0.").split("e")[0].replace(".", "")) <= 4
        assert trial.values["kind"] in {"a", "b"}


def test_a_study_that_is_taken_up_again_comes_to_the_same(path, tmp_path):
    in_one_go = go(Study(tmp_path / "other.journal"), until=10)
    go(Study(path), until=4)
    assert go(Study(path), until=10) == in_one_go


def test_an_interrupted_trial_is_made_again(path, tmp_path):
    def interrupted(values, report):
        raise KeyboardInterrupt

    expected = go(Study(tmp_path / "other.journal"), until=9)
    go(Study(path), until=8)
    with pytest.raises(KeyboardInterrupt):
        go(Study(path), interrupted, until=9)
    assert len(Study(path).trials) == 8
    assert go(Study(path), until=9) == expected


def test_a_trial_that_does_worse_than_most_is_given_up(path):
    def reporting(values, report):
        try:
            for _ in range(6):
                report(score(values))
        except GiveUp:
            return Ended(None, COST)
        return Ended(score(values), COST)

    trials = go(Study(path), reporting, until=25)
    states = [trial.state for trial in trials]
    assert states[:6] == ["complete"] * 6
    assert "pruned" in states
    assert all(trial.score is None for trial in trials if trial.state == "pruned")


def test_a_trial_without_a_model_is_kept_as_failed(path):
    failed = go(Study(path), lambda values, report: Ended(None, COST, "it broke"), until=2)
    assert [(trial.state, trial.score, trial.why) for trial in failed] == [("failed", None, "it broke")] * 2


def test_settings_as_they_are_are_tried_once_and_are_no_trial(path):
    made = Study(path).untuned(content("mine"), lambda: Ended(0.5, COST))
    assert made == Trial(values={}, state="complete", score=0.5, cost=COST)
    assert Study(path).untuned(content("mine"), lambda: Ended(0.75, COST)) == made
    assert Study(path).untuned(content("yours"), lambda: Ended(0.75, COST)).score == 0.75
    assert Study(path).trials == ()


def test_what_several_things_cost_is_their_sum():
    other = Cost(seconds=0.5, peak_memory_mib=9.0, samples_seen=4, tuning_seconds=0.25)
    assert Cost.total([COST, other]) == Cost(
        seconds=1.5, peak_memory_mib=9.0, samples_seen=7, tuning_seconds=0.25
    )
