"""A bootstrap's interval is as wide as theory says."""

import numpy as np
import pytest

from unlearn_core.errors import UsageError
from unlearn_core.resampling import bootstrap
from unlearn_core.roc import auc


def scores(count, *, shift=0.0, seed=0):
    """Rounded, so that there are ties."""
    return np.random.default_rng(seed).normal(shift, size=count).round(1)


def mean_difference(members, others):
    return float(members.mean() - others.mean())


def test_interval_of_a_mean_is_about_the_normal_one():
    members, others = scores(400, shift=1.0), scores(300, seed=1)
    found = bootstrap(mean_difference, members, others, resamples=2000, seed=0)
    reach = 1.96 * np.sqrt(members.var() / 400 + others.var() / 300)
    assert found.high - found.low == pytest.approx(2 * reach, rel=0.1)
    assert found.samples == 300


def test_interval_contains_a_value_at_the_edge():
    found = bootstrap(auc, np.ones(5), np.zeros(5), resamples=100, seed=0)
    assert (found.low, found.value, found.high) == (1, 1, 1)


def test_order_does_not_matter_and_the_seed_does():
    members, others = scores(50, shift=0.3), scores(40, seed=1)
    first, again, other = (
        bootstrap(auc, kind, others, resamples=100, seed=seed)
        for kind, seed in ((members, 0), (members[::-1], 0), (members, 1))
    )
    assert first == again
    assert first != other


@pytest.mark.parametrize(("members", "others"), [([], [1.0]), ([1.0], []), ([np.nan], [1.0])])
def test_scores_that_tell_nothing_are_refused(members, others):
    with pytest.raises(UsageError, match="finite scores"):
        bootstrap(auc, np.array(members), np.array(others), resamples=10, seed=0)
