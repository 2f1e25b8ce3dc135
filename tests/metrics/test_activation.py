"""Activation distance is a distance, and has its floor beside it."""

from dataclasses import replace

import pytest
import torch

from unlearn_core.conformance import subjects
from unlearn_core.errors import UsageError
from unlearn_core.metrics.activation import Activation


def values(subject):
    return {entry.name: entry.value for entry in Activation().measure(subject, seed=0)}


def test_certainty_against_even_odds_is_the_known_distance():
    """(1, 0, 0, 0) and (1/4, 1/4, 1/4, 1/4) are √(9/16 + 3/16) apart."""
    labels = torch.zeros(5, dtype=torch.int64)
    views = {("test", "retain"): subjects.saying(labels, labels)}
    reference = {("test", "retain"): subjects.outputs(torch.zeros(5, 4), labels)}
    found = values(replace(subjects.ordinary(), views=views, reference=reference, floor=None, original=None))
    assert found == {"activation.test.retain": pytest.approx(0.75**0.5)}


def test_model_and_reference_can_change_places():
    subject = subjects.ordinary()
    forth = values(replace(subject, floor=None))
    back = values(replace(subject, views=subject.reference, reference=subject.views, floor=None))
    assert forth == pytest.approx(back)


def test_floor_is_the_distance_of_the_two_references():
    subject = subjects.ordinary()
    between = values(replace(subject, views=subject.reference, reference=subject.floor, floor=None))
    found = values(subject)
    between.pop("activation.unchanged")
    assert {name: found[name.replace("activation.", "activation.floor.")] for name in between} == between


def test_floor_on_other_samples_is_refused():
    subject = subjects.ordinary()
    with pytest.raises(UsageError, match=r"train\.retain|train\.forget"):
        Activation().measure(replace(subject, floor=subjects.shuffled(subject, seed=1).floor), seed=0)


def of_features(features, original, **settings):
    labels = torch.zeros(len(features), dtype=torch.int64)
    mine, theirs = (
        {("train", "forget"): subjects.saying(labels, labels, rows)} for rows in (features, original)
    )
    subject = replace(subjects.ordinary(), views=mine, original=theirs, reference=None, floor=None)
    (found,) = Activation(**settings).measure(subject, seed=0)
    assert found.name == "activation.unchanged"
    return found.value


def test_features_count_as_unchanged_up_to_the_last_digits_of_their_length():
    original = torch.tensor([[3.0, 4.0], [3.0, 4.0], [0.0, 0.0], [0.3, 0.4]])
    moved = original + torch.tensor([[4e-4, 0.0], [6e-4, 0.0], [0.0, 0.0], [6e-5, 0.0]])
    assert of_features(moved, original) == 0.5
    assert of_features(moved, original, unchanged_within=1e-3) == 1


def test_head_that_is_another_leaves_everything_unchanged_and_one_that_is_undone_nothing():
    features = subjects.ordinary().views["train", "forget"].features
    assert of_features(features, features) == 1
    assert of_features(2 * features, features) == 0
