"""Intervals: that they hold, and that they are tight."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from unlearn_core import intervals
from unlearn_core.errors import UsageError


@pytest.mark.parametrize("truth", [0.01, 0.2, 0.5, 0.83, 0.99])
def test_proportion_covers_the_truth_at_least_as_often_as_it_says(truth):
    trials = 27
    found = [intervals.proportion(successes, trials) for successes in range(trials + 1)]
    chances = binom.pmf(range(trials + 1), trials, truth)
    coverage = sum(p for p, one in zip(chances, found, strict=True) if one.low <= truth <= one.high)
    assert coverage >= 0.95


def test_proportion_has_the_published_bounds():
    # Clopper and Pearson's interval for 0 of 27 is [0, 1 - (0.025)^(1/27)].
    estimate = intervals.proportion(0, 27)
    assert (estimate.low, estimate.high) == pytest.approx((0, 1 - 0.025 ** (1 / 27)))


@pytest.mark.parametrize("successes", [0, 1, 13, 27])
def test_proportion_of_failures_mirrors_that_of_successes(successes):
    right, wrong = intervals.proportion(successes, 27), intervals.proportion(27 - successes, 27)
    assert (right.low, right.high) == pytest.approx((1 - wrong.high, 1 - wrong.low))


@given(st.lists(st.floats(0, 1), min_size=2, max_size=30))
def test_mean_lies_in_its_interval_and_in_range(values):
    estimate = intervals.mean(np.array(values), lowest=0.0, highest=1.0)
    assert 0 <= estimate.low <= estimate.value <= estimate.high <= 1


def test_mean_covers_the_truth_about_as_often_as_it_says():
    random = np.random.default_rng(1)
    found = [intervals.mean(random.uniform(size=27), lowest=0.0, highest=1.0) for _ in range(1000)]
    assert 0.93 <= np.mean([one.low <= 0.5 <= one.high for one in found]) <= 0.97


def test_mean_of_one_value_has_no_interval():
    estimate = intervals.mean(np.array([0.3]), lowest=0.0, highest=1.0)
    assert (estimate.value, estimate.low, estimate.high) == (0.3, None, None)


def test_difference_reaches_down_by_how_far_the_second_reaches_up():
    first, second = intervals.Estimate(0.9, 0.8, 0.93, 30), intervals.Estimate(0.5, 0.45, 0.7, 20)
    gap = intervals.difference(first, second)
    assert gap.value == pytest.approx(0.4)
    assert gap.low == pytest.approx(0.4 - math.hypot(0.1, 0.2))
    assert gap.high == pytest.approx(0.4 + math.hypot(0.03, 0.05))
    assert gap.samples == 20


def test_average_without_one_interval_has_none():
    whole, bare = intervals.Estimate(1.0, 0.9, 1.0, 30), intervals.Estimate(0.0, None, None, 1)
    assert intervals.average(whole, bare) == intervals.Estimate(0.5, None, None, 1)


def test_no_sample_at_all_is_refused():
    with pytest.raises(UsageError, match="no trials"):
        intervals.proportion(0, 0)
    with pytest.raises(UsageError, match="no values"):
        intervals.mean(np.array([]), lowest=0.0, highest=1.0)
