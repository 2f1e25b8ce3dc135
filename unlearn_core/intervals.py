"""Estimates with their 95 % intervals: arrays in, numbers out.

Every interval here contains its estimate, needs no randomness, and is one of four kinds: Clopper–Pearson
for a proportion, Student's t for a mean, a score interval for an AUC (in ``roc``), and the method of variance
estimates recovery for combinations of two estimates.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from unlearn_core.errors import UsageError
from unlearn_core.records.evaluation import Measurement

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Estimate:
    """A number, its interval if there is one, and the size of the smallest sample behind it."""

    value: float
    low: float | None
    high: float | None
    samples: int

    def named(self, name: str) -> Measurement:
        """Return the estimate as a measurement."""
        return Measurement(name=name, value=self.value, low=self.low, high=self.high, samples=self.samples)


def proportion(successes: float, trials: int) -> Estimate:
    """Estimate a probability from counts, with the Clopper–Pearson interval.

    Args:
        successes: How often it happened; a fraction where repeated trials were averaged.
        trials: How often it could have happened.

    Returns:
        The share of successes.

    Raises:
        UsageError: If there was no trial.
    """
    if trials == 0:
        raise UsageError("a proportion of no trials is not defined; pass at least one sample")
    tail = (1 - CONFIDENCE) / 2
    low = stats.beta.ppf(tail, successes, trials - successes + 1) if successes > 0 else 0.0
    high = stats.beta.ppf(1 - tail, successes + 1, trials - successes) if successes < trials else 1.0
    return Estimate(float(successes / trials), float(low), float(high), trials)


def mean(values: NDArray[np.float64], *, lowest: float, highest: float) -> Estimate:
    """Estimate a mean, with Student's t interval clipped to the quantity's range.

    Args:
        values: ``[samples]``.
        lowest: The smallest value that the quantity can have.
        highest: The largest.

    Returns:
        The mean; without an interval for a single sample.

    Raises:
        UsageError: If there is no value.
    """
    count = len(values)
    if count == 0:
        raise UsageError("the mean of no values is not defined; pass at least one sample")
    # A correctly rounded sum: the order of the samples does not affect the last bit.
    value = min(max(math.fsum(values) / count, lowest), highest)
    if count == 1:
        return Estimate(value, None, None, count)
    reach = float(stats.t.ppf((1 + CONFIDENCE) / 2, count - 1) * values.std(ddof=1) / math.sqrt(count))
    return Estimate(value, max(lowest, value - reach), min(highest, value + reach), count)


def average(first: Estimate, second: Estimate) -> Estimate:
    """Return the mean of two independent estimates; see ``_combined``."""
    return _combined(first, second, 0.5, 0.5)


def difference(first: Estimate, second: Estimate) -> Estimate:
    """Return ``first − second`` of two estimates; see ``_combined``.

    Two models measured on the same samples agree more often than independent ones would, which makes the
    interval wider than necessary.
    """
    return _combined(first, second, 1.0, -1.0)


def _combined(first: Estimate, second: Estimate, weight: float, other_weight: float) -> Estimate:
    """Combine two estimates linearly, recovering variances from both intervals (Zou and Donner 2008).

    Statistics in Medicine 27(10), equation 4: unlike a normal approximation it stays an interval where an
    estimate sits at 0 or 1.

    Returns:
        The combination; without an interval if either has none.
    """
    value = weight * first.value + other_weight * second.value
    samples = min(first.samples, second.samples)
    if (mine := _reaches(first, weight)) is None or (theirs := _reaches(second, other_weight)) is None:
        return Estimate(value, None, None, samples)
    below, above = (math.hypot(*both) for both in zip(mine, theirs, strict=True))
    return Estimate(value, value - below, value + above, samples)


def _reaches(estimate: Estimate, weight: float) -> tuple[float, float] | None:
    """Return how far a weighted estimate's interval reaches down and up."""
    if estimate.low is None or estimate.high is None:
        return None
    down, up = estimate.value - estimate.low, estimate.high - estimate.value
    return (weight * down, weight * up) if weight > 0 else (-weight * up, -weight * down)
