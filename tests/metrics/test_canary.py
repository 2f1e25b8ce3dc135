"""The attack on canaries: which way it points, what chance does to it, and where it is silent."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.stats import rankdata

from unlearn_core.conformance import subjects
from unlearn_core.metric import Subject
from unlearn_core.metrics.canary import Canary, exposure


def subject(planted, held_out):
    """A model whose losses on canaries of class 0 are given."""
    views = {("train", "forget"): said(planted), ("canary", "retain"): said(held_out)}
    return Subject(subjects.CLASSES, (), views)


def said(losses):
    """A loss of ``log(1 + (classes - 1) / e^x)`` is what a logit of x above all others gives."""
    losses = torch.tensor(losses, dtype=torch.float64)
    logits = torch.zeros(len(losses), subjects.CLASSES, dtype=torch.float64)
    logits[:, 0] = math.log(subjects.CLASSES - 1) - torch.log(torch.expm1(losses))
    return subjects.outputs(logits, torch.zeros(len(losses), dtype=torch.int64))


def values(found):
    return {entry.name: entry.value for entry in Canary().measure(found, seed=0)}


def test_lower_losses_of_planted_canaries_are_above_one_half():
    assert values(subject([0.1, 0.2], [1.0, 2.0, 3.0]))["canary.auc"] == 1
    assert values(subject([1.0, 2.0, 3.0], [0.1, 0.2]))["canary.auc"] == 0


def test_the_lowest_loss_of_all_has_all_bits_and_the_highest_none():
    assert values(subject([0.1], [1.0, 2.0, 3.0]))["canary.exposure"] == 2
    assert values(subject([9.0], [1.0, 2.0, 3.0]))["canary.exposure"] == 0


def test_p_value_of_a_few_canaries_is_exact():
    """Of the 20 ways of dealing six losses to two halves, this one and its mirror image are the extremes."""
    assert values(subject([0.1, 0.2, 0.3], [1.0, 2.0, 3.0]))["canary.p_value"] == pytest.approx(2 / 20)


def test_equal_losses_tell_nothing():
    found = values(subject([1.0] * 12, [1.0] * 12))
    assert (found["canary.auc"], found["canary.p_value"]) == (0.5, 1)


def test_exposure_of_ties_is_that_of_their_mean_rank():
    generator = np.random.default_rng(0)
    planted, held_out = generator.integers(0, 5, 30).astype(float), generator.integers(0, 5, 20).astype(float)
    ranks = [rankdata([*held_out, loss])[-1] for loss in planted]
    assert exposure(planted, held_out) == pytest.approx(np.mean([math.log2(21 / rank) for rank in ranks]))


def test_dealing_the_same_losses_anew_averages_one_half_whatever_they_are():
    """The claim that needs no retrained model: chance alone says what a model that saw neither half gives."""
    generator = np.random.default_rng(1)
    losses = generator.lognormal(sigma=2.0, size=24)
    found = [values(subject(*np.split(generator.permutation(losses), 2))) for _ in range(400)]
    aucs = np.array([one["canary.auc"] for one in found])
    assert aucs.mean() == pytest.approx(0.5, abs=4 * aucs.std() / 20)
    assert aucs.std() == pytest.approx(math.sqrt(25 / (12 * 144)), rel=0.15)
    assert np.mean([one["canary.p_value"] < 0.05 for one in found]) < 0.08


def test_interval_of_the_auc_has_the_smaller_half_for_its_samples():
    auc, *_ = Canary().measure(subject([0.1, 0.2, 5.0], [1.0, 2.0]), seed=0)
    assert auc.samples == 2
    assert auc.low < auc.value < auc.high


@pytest.mark.parametrize("sample_scope", [False, True])
def test_a_request_for_other_data_has_no_such_measurement(sample_scope):
    found = subjects.ordinary(sample_scope=sample_scope)
    found.views.pop(("canary", "retain"), None)
    assert Canary().measure(found, seed=0) == ()


def test_a_view_of_canaries_says_nothing_where_a_class_was_forgotten():
    found = subjects.ordinary(sample_scope=True)
    assert Canary().measure(replace(found, forget_classes=(subjects.FORGOTTEN_CLASS,)), seed=0) == ()
