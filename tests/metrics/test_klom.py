"""KLoM has a direction, a bias that it states, and a floor under what no model reached."""

import math
from dataclasses import replace

import numpy as np
import pytest

from unlearn_core.conformance import subjects
from unlearn_core.errors import UsageError
from unlearn_core.metrics.klom import Klom, divergences
from unlearn_core.observations import Ensembles

VIEW = ("test", "retain")


def values(unlearned, retrained, **settings):
    subject = replace(subjects.ordinary(), ensembles=Ensembles({VIEW: unlearned}, {VIEW: retrained}))
    return {entry.name: entry.value for entry in Klom(**settings).measure(subject, seed=0)}


def noise(models, *, seed, samples=200):
    return np.random.default_rng(seed).normal(size=(models, samples))


def test_direction_is_unlearned_from_retrained():
    """Half of the retrained models are where all unlearned are; the other way round the floor decides."""
    together, halves = np.zeros((4, 1)), np.array([[0.0], [0.0], [1.0], [1.0]])
    forth = divergences(together, halves, bins=20, least=1e-5)
    back = divergences(halves, together, bins=20, least=1e-5)
    assert forth == pytest.approx([math.log(2)])
    assert back == pytest.approx([(math.log(0.5) + math.log(0.5 / 1e-5)) / 2])


def test_equal_kinds_of_models_measure_about_the_bias():
    found = values(noise(400, seed=0), noise(400, seed=1), bins=8)
    assert found["klom.bias"] == pytest.approx(7 / 2 * 2 / 400)
    assert found["klom.mean.test.retain"] == pytest.approx(found["klom.bias"], rel=0.6)


def test_models_that_remember_are_far_above_the_bias():
    found = values(noise(400, seed=0) + 3, noise(400, seed=1))
    assert found["klom.mean.test.retain"] > 20 * found["klom.bias"]


def test_margins_are_clipped_and_the_range_is_stated():
    found = values(np.full((3, 2), 1e6), np.full((5, 2), -7.0))
    assert (found["klom.lowest_edge"], found["klom.highest_edge"]) == (-7, 100)
    assert (found["klom.unlearned_models"], found["klom.retrained_models"]) == (3, 5)


def test_percentile_is_over_samples():
    unlearned, retrained = np.zeros((2, 100)), np.zeros((2, 100))
    unlearned[:, 90:] = 1.0
    found = values(unlearned, retrained)
    assert found["klom.p95.test.retain"] == pytest.approx(math.log(1e5))
    assert found["klom.mean.test.retain"] == pytest.approx(math.log(1e5) / 10)


def test_models_on_other_samples_are_refused():
    with pytest.raises(UsageError, match=r"test\.retain"):
        Ensembles({VIEW: np.zeros((2, 3))}, {VIEW: np.zeros((2, 4))})
