"""Forgetting quality: known rates give the known epsilon, and few models inflate it."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from unlearn_core.conformance import subjects
from unlearn_core.metrics.epsilon import Epsilon, best_epsilon
from unlearn_core.observations import Ensembles

VIEW = ("train", "forget")


def values(unlearned, retrained, **settings):
    subject = replace(subjects.ordinary(), ensembles=Ensembles({VIEW: unlearned}, {VIEW: retrained}))
    return {entry.name: entry.value for entry in Epsilon(**settings).measure(subject, seed=0)}


def noise(models, *, seed, samples=30):
    return np.random.default_rng(seed).normal(size=(models, samples))


def test_one_threshold_with_known_rates():
    """Of ten each, one unlearned is below and two retrained are above: fnr 0.1, fpr 0.2."""
    unlearned, retrained = np.array([0.0] + [1.0] * 9), np.array([0.0] * 8 + [1.0] * 2)
    assert best_epsilon(unlearned, retrained, delta=0.0) == pytest.approx(math.log(8))


def test_delta_lowers_epsilon():
    unlearned, retrained = np.array([0.0] + [1.0] * 9), np.array([0.0] * 8 + [1.0] * 2)
    assert best_epsilon(unlearned, retrained, delta=0.3) == pytest.approx(math.log(0.5 / 0.1))


def test_two_thresholds_find_what_one_cannot():
    """The unlearned margins lie between the retrained ones: no single threshold gets anywhere."""
    unlearned, retrained = np.zeros(20), np.array([-1.0] * 10 + [1.0] * 10)
    assert best_epsilon(unlearned, retrained, delta=1e-5) == math.inf
    assert best_epsilon(retrained, unlearned, delta=1e-5) == math.inf


def test_attack_with_one_rate_at_nought_does_not_count():
    unlearned, retrained = np.array([0.0, 1.0]), np.array([0.0, 0.0])
    assert best_epsilon(unlearned, retrained, delta=1e-5) == 0


def test_models_that_remember_are_told_apart():
    found = values(noise(40, seed=0) + 8, noise(40, seed=1))
    assert found["epsilon.quality.train.forget"] == pytest.approx(0.5**12)


def test_very_few_models_alike_are_told_apart_by_luck():
    few, many = (values(noise(n, seed=0), noise(n, seed=1)) for n in (2, 128))
    assert few["epsilon.mean.train.forget"] > 1.5 * many["epsilon.mean.train.forget"]
    assert many["epsilon.mean.train.forget"] < 3
    assert (many["epsilon.unlearned_models"], many["epsilon.retrained_models"]) == (128, 128)


def test_score_pays_for_lost_accuracy():
    """The reference is right of all retained data, the model of half, and of a quarter when held out."""
    subject = subjects.separated()

    def saying_right_of(share):
        labels = {part: subject.views[part, "retain"].labels for part in ("train", "test")}
        wrong = {part: torch.arange(len(label)) >= share[part] * len(label) for part, label in labels.items()}
        return {
            (part, "retain"): subjects.saying(label, (label + wrong[part]) % subjects.CLASSES)
            for part, label in labels.items()
        }

    found = Epsilon().measure(
        replace(
            subject,
            views=saying_right_of({"train": 0.5, "test": 0.25}),
            reference=saying_right_of({"train": 1, "test": 1}),
        ),
        seed=0,
    )
    values = {entry.name: entry.value for entry in found}
    assert values["epsilon.score"] == pytest.approx(values["epsilon.quality.train.forget"] / 8)


def test_without_forgotten_margins_nothing_is_measured():
    margins = {("test", "retain"): noise(4, seed=0)}
    subject = replace(subjects.ordinary(), ensembles=Ensembles(margins, margins))
    assert Epsilon().measure(subject, seed=0) == ()
