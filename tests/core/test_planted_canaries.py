"""Canaries: two halves that nothing but chance tells apart."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unlearn_core.canaries import CANARY_SUBJECT, plant
from unlearn_core.errors import ConfigurationError

ROWS, CLASSES = 60, 3
ORIGINAL = np.arange(ROWS) % CLASSES
SPLIT = np.where(np.arange(ROWS) % 4 == 0, "audit", "train").astype(object)


def planted(count, seed, *, classes=3):
    labels, splits, subjects = ORIGINAL.copy(), SPLIT.copy(), np.full(ROWS, "somebody", dtype=object)
    among = np.flatnonzero(splits == "train")
    random = np.random.default_rng(seed)
    plant(labels, splits, subjects, count=count, among=among, classes=classes, random=random)
    return labels, splits, subjects


@given(count=st.integers(0, 22), seed=st.integers(0, 2**31))
def test_half_of_the_wrong_labels_is_trained_on_and_half_is_held_out(count, seed):
    labels, splits, subjects = planted(count, seed)
    wrong = labels != ORIGINAL
    ours, held_out = subjects == CANARY_SUBJECT, splits == "canary"
    assert (wrong == (ours | held_out)).all()
    assert ours.sum() == held_out.sum() == count
    assert (splits[ours] == "train").all()
    assert (subjects[held_out] == "").all()
    assert ((labels >= 0) & (labels < CLASSES)).all()


@given(count=st.integers(0, 22), seed=st.integers(0, 2**31))
def test_all_other_rows_stay_as_they_are(count, seed):
    labels, splits, subjects = planted(count, seed)
    others = (subjects != CANARY_SUBJECT) & (splits != "canary")
    assert (labels[others] == ORIGINAL[others]).all()
    assert (splits[others] == SPLIT[others]).all()
    assert (subjects[others] == "somebody").all()


def test_more_than_half_of_the_training_rows_do_not_fit():
    with pytest.raises(ConfigurationError, match=r"23 canaries.*do not fit into 45 .*; plant 22 at most"):
        planted(23, 0)


def test_chance_gives_each_row_to_each_half_alike():
    """400 draws of 10 and 10 among 45 rows: each row is in either half 89 times, give or take 8."""
    draws = [planted(10, seed) for seed in range(400)]
    for half in (
        sum(subjects == CANARY_SUBJECT for _, _, subjects in draws),
        sum(splits == "canary" for _, splits, _ in draws),
    ):
        counts = half[SPLIT == "train"]
        assert counts.min() > 89 - 4.5 * 8.3
        assert counts.max() < 89 + 4.5 * 8.3


def test_chance_gives_every_other_class_alike():
    shifts = [
        (labels - ORIGINAL) % 10 for labels, _, _ in (planted(20, seed, classes=10) for seed in range(50))
    ]
    counts = Counter(np.concatenate(shifts).tolist())
    assert set(counts) == set(range(10))
    assert all(abs(counts[shift] - 2000 / 9) < 5 * 15 for shift in range(1, 10))
