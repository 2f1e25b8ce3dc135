"""ROC curves whose answer is known by construction, and the obvious loops."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from unlearn_core import roc
from unlearn_core.errors import UsageError

scores = st.lists(st.integers(-4, 4).map(float), min_size=1, max_size=12).map(np.array)


def circular(count):
    """Scores whose ROC curve is a quarter of a circle: TPR = sqrt(1 - (1 - FPR)²)."""
    quantiles = (np.arange(count) + 0.5) / count
    return np.sqrt(1 - quantiles**2), quantiles


def naive_auc(members, others):
    wins = [1.0 if mine > theirs else 0.5 * (mine == theirs) for mine in members for theirs in others]
    return sum(wins) / len(wins)


@given(scores, scores)
@settings(deadline=None)
def test_auc_counts_wins_and_half_the_ties(members, others):
    assert roc.auc(members, others) == pytest.approx(naive_auc(members, others))


@given(scores, scores)
@settings(deadline=None)
def test_tpr_at_fpr_is_the_best_that_any_threshold_reaches(members, others):
    curve = roc.roc_curve(members, others)
    for allowed in (0.0, 0.01, 0.3, 1.0):
        thresholds = [*others, *members, np.inf]
        fitting = [cut for cut in thresholds if (others >= cut).mean() <= allowed]
        assert roc.tpr_at_fpr(curve, allowed) == max((members >= cut).mean() for cut in fitting)


def test_auc_is_the_area_under_the_curve():
    members, others = (np.random.default_rng(seed).normal(seed / 2, size=60).round(1) for seed in (1, 0))
    curve = roc.roc_curve(members, others)
    area = np.trapezoid(curve.true_positive_rate, curve.false_positive_rate)
    assert roc.auc(members, others) == pytest.approx(area)


def test_circular_curve_has_the_area_of_the_quarter_circle():
    members, others = circular(4000)
    assert roc.auc(members, others) == pytest.approx(math.pi / 4, abs=1e-3)


def test_circular_curve_has_the_height_of_the_circle():
    members, others = circular(4000)
    expected = math.sqrt(1 - 0.99**2)
    assert roc.tpr_at_fpr(roc.roc_curve(members, others), 0.01) == pytest.approx(expected, abs=2e-3)


def test_higher_scores_are_members():
    assert roc.auc(np.array([2.0, 3.0]), np.array([0.0, 1.0])) == 1


def test_swapping_members_and_others_mirrors_the_auc():
    members, others = circular(50)
    assert roc.auc(others, members) == pytest.approx(1 - roc.auc(members, others))


def test_curve_goes_from_nothing_to_everything():
    curve = roc.roc_curve(*circular(20))
    assert (curve.false_positive_rate[0], curve.true_positive_rate[0], curve.thresholds[0]) == (0, 0, np.inf)
    assert (curve.false_positive_rate[-1], curve.true_positive_rate[-1]) == (1, 1)


@pytest.mark.parametrize("value", [0.0, 1e-9, 0.2, 0.5, 0.97, 1.0])
@pytest.mark.parametrize("members", [2, 27, 5000])
def test_auc_interval_contains_the_value_and_stays_in_range(value, members):
    estimate = roc.auc_estimate(value, members, 27)
    assert 0 <= estimate.low <= value <= estimate.high <= 1
    assert estimate.high - estimate.low > 0
    assert estimate.samples == min(members, 27)


def test_auc_interval_mirrors_with_the_auc():
    high, low = roc.auc_estimate(0.8, 30, 30), roc.auc_estimate(0.2, 30, 30)
    assert (high.low, high.high) == pytest.approx((1 - low.high, 1 - low.low))


@pytest.mark.parametrize("shift", [0.0, 1.0, 2.0])
def test_auc_interval_covers_the_truth_about_as_often_as_it_says(shift):
    random = np.random.default_rng(0)
    truth = norm.cdf(shift / math.sqrt(2))
    covered = 0
    for _ in range(400):
        members, others = random.normal(shift, 1, 40), random.normal(0, 1, 27)
        estimate = roc.auc_estimate(roc.auc(members, others), 40, 27)
        covered += estimate.low <= truth <= estimate.high
    assert 0.92 <= covered / 400 <= 0.99


def test_balanced_accuracy_weighs_both_kinds_alike():
    assert roc.balanced_accuracy(10, 10, 500, 1000).value == 0.75


def test_auc_of_nothing_is_refused():
    with pytest.raises(UsageError, match="others"):
        roc.auc(np.array([1.0]), np.array([]))


def test_infinite_scores_are_refused():
    with pytest.raises(UsageError, match="members are not finite"):
        roc.roc_curve(np.array([np.inf]), np.array([1.0]))
