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
    found = values(replace(subjects.ordinary(), views=views, reference=reference, floor=None))
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
    assert {name: found[name.replace("activation.", "activation.floor.")] for name in between} == between


def test_floor_on_other_samples_is_refused():
    subject = subjects.ordinary()
    with pytest.raises(UsageError, match=r"train\.retain|train\.forget"):
        Activation().measure(replace(subject, floor=subjects.shuffled(subject, seed=1).floor), seed=0)
