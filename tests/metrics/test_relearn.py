"""Relearn time is read off the curve; what never arrives is said to be censored."""

from dataclasses import replace

import pytest

from unlearn_core.conformance import subjects
from unlearn_core.errors import UsageError
from unlearn_core.metrics.relearn import Relearn
from unlearn_core.observations import RelearnCurve, Relearning


def values(model, reference=None, *, original=1.0, **settings):
    seen = Relearning(model, original, reference)
    found = Relearn(**settings).measure(replace(subjects.ordinary(), relearning=seen, new_head=None), seed=0)
    return {entry.name: entry.value for entry in found}


def test_within_five_points_of_the_original_is_there():
    curve = RelearnCurve(steps=(0, 1, 4, 9), accuracy=(0.1, 0.85, 0.9, 0.99), limit=20, samples=50)
    assert values(curve, original=0.95)["relearn.steps"] == 4
    assert values(curve, original=0.95, within=0.1)["relearn.steps"] == 1


def test_first_arrival_counts_whatever_comes_after():
    assert values(subjects.curve((0.0, 1.0, 0.2, 1.0)))["relearn.steps"] == 1


def test_model_that_never_arrives_is_censored_at_the_limit():
    found = values(subjects.curve((0.0, 0.5), limit=30), subjects.curve((0.0, 0.0, 0.0, 1.0)))
    assert (found["relearn.steps"], found["relearn.censored"]) == (30, 1)
    assert (found["relearn.retrained.steps"], found["relearn.retrained.censored"]) == (3, 0)
    assert found["relearn.ratio"] == 10


def test_model_that_remembers_relearns_faster_than_the_retrained_one():
    assert values(subjects.curve((0.0, 1.0)), subjects.curve((0.0,) * 8 + (1.0,)))["relearn.ratio"] == 1 / 8


def test_ratio_to_no_steps_at_all_is_one_or_is_not_there():
    none, some = subjects.curve((1.0,)), subjects.curve((0.0, 1.0))
    assert values(none, none)["relearn.ratio"] == 1
    assert "relearn.ratio" not in values(some, none)


def test_without_a_reference_there_is_no_ratio():
    assert set(values(subjects.curve((1.0,)))) == {"relearn.steps", "relearn.censored"}


def test_curve_without_a_look_is_refused():
    with pytest.raises(UsageError, match="a relearn curve is empty"):
        values(subjects.curve(()))


def with_new_head(model, reference=None, *, sample_scope=False, original=0.9):
    subject = subjects.ordinary(sample_scope=sample_scope)
    found = Relearn().measure(replace(subject, new_head=Relearning(model, original, reference)), seed=0)
    return {entry.name: entry.value for entry in found if entry.name.startswith("relearn.new_head")}


def test_with_a_new_head_half_of_what_the_original_knew_is_there():
    slow = subjects.curve((0.0, 0.0, 0.2, 0.4, 0.44, 0.46), limit=60)
    assert with_new_head(subjects.curve((0.0, 0.3, 0.45), limit=60), slow) == {
        "relearn.new_head.steps": 2,
        "relearn.new_head.censored": 0,
        "relearn.new_head.retrained.steps": 5,
        "relearn.new_head.retrained.censored": 0,
        "relearn.new_head.ratio": 2 / 5,
    }


def test_with_a_new_head_what_never_arrives_is_censored_too():
    found = with_new_head(subjects.curve((0.0, 0.1), limit=60))
    assert found == {"relearn.new_head.steps": 60, "relearn.new_head.censored": 1}


def test_samples_are_not_learned_with_a_new_head():
    assert with_new_head(subjects.curve((1.0,)), sample_scope=True) == {}
