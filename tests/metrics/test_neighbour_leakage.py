"""The neighbours of a forgotten class give away how it was forgotten."""

from dataclasses import replace

import pytest
import torch

from unlearn_core.conformance import subjects
from unlearn_core.metrics.neighbour_leakage import NeighbourLeakage

FORGET = [("train", "forget"), ("audit", "forget"), ("test", "forget")]


def measured(subject):
    return {entry.name: entry for entry in NeighbourLeakage().measure(subject, seed=0)}


def answering(probabilities, noise=0.0, seed=0):
    """Forget views of which the model says these probabilities, a little different from sample to sample."""
    generator = torch.Generator().manual_seed(seed)
    logits = torch.log(torch.tensor(probabilities)) + noise * torch.randn(200, 4, generator=generator)
    said = subjects.outputs(logits, torch.full((200,), subjects.FORGOTTEN_CLASS))
    return dict.fromkeys(FORGET, said)


RETRAINED = [0.6, 0.2, 0.05, 0.15]


@pytest.fixture
def subject():
    """Two retrained models that differ by their seed."""
    return replace(
        subjects.ordinary(),
        reference=answering(RETRAINED, 0.3, seed=1),
        floor=answering(RETRAINED, 0.3, seed=2),
        original=None,
    )


def test_class_whose_rest_is_spread_evenly_leaks(subject):
    found = measured(replace(subject, views=answering([0.33, 0.33, 0.01, 0.33], 0.3)))
    assert found["neighbour_leakage.train.forget"].low > found["neighbour_leakage.floor.train.forget"].high


def test_another_retrained_model_leaks_no_more_than_the_floor(subject):
    found = measured(replace(subject, views=answering(RETRAINED, 0.3, seed=3)))
    floor = found["neighbour_leakage.floor.train.forget"]
    assert floor.low <= found["neighbour_leakage.train.forget"].value <= floor.high


def test_known_distributions_have_the_known_distance(subject):
    """Over the kept classes (6, 2, 1.5) / 9.5 against (2, 6, 1.5) / 9.5: 4 / 9.5."""
    views, reference = answering([0.2, 0.6, 0.05, 0.15]), answering(RETRAINED)
    found = measured(replace(subject, views=views, reference=reference))
    assert found["neighbour_leakage.train.forget"].value == pytest.approx(4 / 9.5)


def test_probability_of_the_forgotten_class_does_not_matter(subject):
    views, reference = answering([0.006, 0.002, 0.9905, 0.0015]), answering(RETRAINED)
    found = measured(replace(subject, views=views, reference=reference))
    assert found["neighbour_leakage.train.forget"].value == pytest.approx(0, abs=1e-6)


def test_rest_that_underflows_is_still_a_distribution(subject):
    """All but 1e-40 of the probability is the forgotten class's."""
    logits = torch.tensor([[0.0, 3.0, 100.0, 1.0]]).repeat(200, 1)
    said = dict.fromkeys(FORGET, subjects.outputs(logits, torch.full((200,), subjects.FORGOTTEN_CLASS)))
    assert measured(replace(subject, views=said, reference=said))["neighbour_leakage.train.forget"].value == 0


def test_one_class_left_over_has_no_neighbours(subject):
    views = answering(RETRAINED, 0.3, seed=3)
    found = measured(replace(subject, views=views, forget_classes=(0, 1, 2)))
    assert {entry.value for entry in found.values()} == {0.0}


def test_model_that_only_hides_a_class_lies_where_the_original_lay(subject):
    before, hidden = answering([0.1, 0.05, 0.8, 0.05], 0.3), answering([0.4, 0.2, 0.2, 0.2], 0.3)
    found = measured(replace(subject, views=hidden, original=before))
    assert found["neighbour_leakage.original.train.forget"].value == pytest.approx(0, abs=1e-6)
    assert found["neighbour_leakage.train.forget"].value > 0.1


def test_retrained_model_lies_away_from_the_original(subject):
    before = answering([0.1, 0.05, 0.8, 0.05], 0.3, seed=7)
    found = measured(replace(subject, views=subject.reference, reference=subject.floor, original=before))
    assert found["neighbour_leakage.original.train.forget"].low > 0.1
