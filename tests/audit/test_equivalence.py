"""Student's t around a mean, and Holm's correction: against scipy, and against their definitions."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from unlearn_core.audit.equivalence import centre, holm

LISTS = st.lists(st.floats(-100, 100), min_size=5, max_size=30).filter(lambda values: np.std(values) > 1e-6)
P_VALUES = st.dictionaries(st.integers(0, 9), st.floats(0, 1), max_size=6)
ALPHAS = st.floats(0.001, 0.49)


@given(LISTS, ALPHAS)
def test_the_interval_is_students(values, alpha):
    found = centre(values)
    low, high = stats.t.interval(1 - 2 * alpha, len(values) - 1, np.mean(values), stats.sem(values))
    assert found.value - found.reach(alpha) == pytest.approx(low, abs=1e-9)
    assert found.value + found.reach(alpha) == pytest.approx(high, abs=1e-9)


@given(LISTS, st.floats(-10, 10))
def test_the_p_value_is_that_of_a_one_sided_t_test(values, bound):
    found = centre(values)
    expected = stats.ttest_1samp(values, bound, alternative="less").pvalue
    assert found.p_value(bound - found.value) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("values", [[0.0], [0.0, 1.0], [0.0, 1.0, 2.0, 3.0], [0.1] * 7])
def test_where_no_spread_is_known_or_there_is_none_what_is_seen_is_what_is(values):
    found = centre(values)
    assert (found.reach(0.05), found.p_value(1e-9), found.p_value(0.0)) == (0.0, 0.0, 1.0)


def bonferroni(claims, p_values, alpha):
    """Whether the hypothesis that none of some claims is true is rejected."""
    return min(p_values[claim] for claim in claims) <= alpha / len(claims)


@given(P_VALUES, ALPHAS)
def test_holm_is_the_closure_of_bonferroni(p_values, alpha):
    """Shown is what is in no hypothesis of several false claims that is not rejected (Marcus 1976)."""
    names = list(p_values)
    groups = [group for size in range(1, len(names) + 1) for group in combinations(names, size)]
    closed = {
        claim
        for claim in names
        if all(bonferroni(group, p_values, alpha) for group in groups if claim in group)
    }
    assert holm(p_values, alpha) == closed


def test_the_chance_of_a_wrong_pass_is_kept():
    """A value on the very edge of its band is called inside in one study of twenty."""
    random = np.random.default_rng(0)
    wrong = 0
    for _ in range(4000):
        found = centre(random.normal(0.0, 1.0, 5).tolist())
        wrong += found.value + 1.0 - found.reach(0.05) >= 1.0  # the value 1 of a band of 1 around the true 0
    assert wrong / 4000 == pytest.approx(0.05, abs=0.012)
