"""Gaps and their intervals on rows made by hand; the order of methods."""

import math

import pytest
from compared import ATTACK, FORGET, RETAIN, failed, row

from unlearn_core.ranking import gap_of, rank, summarise

RATIO = "relearn.ratio"


def gaps(*values, method="svd"):
    return [row(method, gap=value, seed=seed) for seed, value in enumerate(values)]


def test_a_gap_is_method_minus_retrained_of_the_same_case():
    pairs = [({FORGET: 0.9}, {FORGET: 0.1}), ({FORGET: 0.1}, {FORGET: 0.9})]
    rows = [row("svd", seed=i, values=mine, retrained=theirs) for i, (mine, theirs) in enumerate(pairs)]
    found = gap_of(rows, FORGET)
    assert (found.value, found.samples) == (pytest.approx(0.0), 2)
    # Student's t of one degree of freedom reaches 12.7 times as far, and two fractions differ by 1 at most.
    assert (found.low, found.high) == (-1.0, 1.0)


def test_a_ratio_has_no_largest_value():
    rows = [row("svd", seed=i, values={RATIO: v}, retrained={RATIO: 1.0}) for i, v in enumerate((1.0, 4.0))]
    found = gap_of(rows, RATIO)
    assert (found.value, found.low) == (1.5, -1.0)
    assert found.high == pytest.approx(1.5 + 12.7062 * 1.5, rel=1e-4)


def test_the_interval_is_students_over_cases():
    # Mean 2, standard deviation 1, three cases: 2 ± 4.302653 / √3.
    found = gap_of(gaps(0.01, 0.02, 0.03), FORGET)
    reach = 4.302653 * 0.01 / math.sqrt(3)
    assert (found.value, found.samples) == (pytest.approx(0.02), 3)
    assert (found.low, found.high) == pytest.approx((0.02 - reach, 0.02 + reach))


def test_the_sign_of_a_gap_stays():
    assert gap_of(gaps(-0.04, -0.04), FORGET).value == pytest.approx(-0.04)


def test_a_single_case_has_no_interval():
    found = gap_of(gaps(0.02), FORGET)
    assert (found.low, found.high, found.samples) == (None, None, 1)


def test_what_only_one_of_both_has_is_no_gap():
    assert gap_of([row("svd", values={ATTACK: 0.5})], ATTACK) is None


def test_methods_stand_in_the_order_of_their_average_gap():
    rows = [*gaps(0.3, method="ssd"), *gaps(-0.1, method="pgu"), failed("unsir"), *gaps(0.2, method="svd")]
    assert [one.method for one in rank(rows)] == ["pgu", "svd", "ssd", "unsir"]


def test_equals_stand_in_the_order_of_their_names_whatever_the_order_of_rows():
    rows = [*gaps(0.2, method="svd"), *gaps(-0.2, method="pgu")]
    assert [one.method for one in rank(rows)] == [one.method for one in rank(rows[::-1])] == ["pgu", "svd"]


def test_kinds_of_forget_sets_are_never_mixed():
    rows = [row("svd", gap=0.1), row("svd", gap=0.3, kind="random", name="20 random samples")]
    assert [(one.kind, one.gap(FORGET).value) for one in rank(rows)] == [
        ("class", pytest.approx(0.1)),
        ("random", pytest.approx(0.3)),
    ]


def test_failures_are_counted_and_are_no_measurement():
    found = summarise("class", "svd", [*gaps(0.1, 0.2), failed("svd", seed=2)])
    assert (found.cases, found.outcomes) == (3, {"passes": 2, "failed": 1})
    assert found.gap(FORGET).samples == found.average_gap.samples == found.cost.samples == 2
    assert found.gap(RETAIN).value == 0


def test_cost_is_the_share_of_the_retraining_of_the_same_case():
    rows = [row("svd", seconds=2.0, retraining_seconds=8.0), row("svd", seconds=3.0, retraining_seconds=4.0)]
    assert summarise("class", "svd", rows).cost.value == pytest.approx(0.5)


def test_a_time_that_nobody_took_is_left_out():
    assert summarise("class", "svd", [row("svd", retraining_seconds=None)]).cost is None
