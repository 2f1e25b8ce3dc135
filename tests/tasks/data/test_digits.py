"""The built-in data set: splits, subjects and canaries, all by seed."""

from collections import Counter

import numpy as np
import pytest

from tasks.data.datasets import manifest_of, rows_digest
from tasks.data.digits import make_digits
from unlearn_core.canaries import CANARY_SUBJECT
from unlearn_core.data import decode
from unlearn_core.errors import ConfigurationError
from unlearn_core.records.base import sha256
from unlearn_core.records.params import DigitsSource

ROWS = 1797
PLANTED = {"digit-0988": 2, "digit-1206": 1, "digit-1270": 6}
"""Who the first three canaries of seed 0 have always been, and their wrong labels."""


def made(**settings):
    return manifest_of(*make_digits(DigitsSource(**settings)))


@pytest.fixture(scope="module")
def digits():
    return made()


def test_every_scan_is_there_once(digits):
    assert len(digits) == ROWS
    assert len(set(digits.sample_ids)) == ROWS
    assert digits.classes == tuple("0123456789")


def test_rows_are_in_the_order_of_their_ids(digits):
    assert list(digits.sample_ids) == sorted(digits.sample_ids)


@pytest.mark.parametrize(("split", "fraction"), [("tuning", 0.1), ("audit", 0.15), ("test", 0.2)])
def test_each_class_is_split_in_the_asked_fractions(digits, split, fraction):
    for label in range(10):
        of_class = digits.labels == label
        assert (of_class & (digits.splits == split)).sum() == round(fraction * of_class.sum())


def test_what_is_in_no_other_split_is_trained_on(digits):
    assert set(digits.splits) == {"train", "tuning", "audit", "test"}
    assert (digits.splits == "train").sum() == ROWS - sum(
        (digits.splits == split).sum() for split in ("tuning", "audit", "test")
    )


def test_every_training_row_is_somebodys_and_no_other_row_is(digits):
    assert ((digits.subject_ids != "") == (digits.splits == "train")).all()


@pytest.mark.parametrize("per_subject", [10, 3])
def test_a_subject_has_as_many_rows_as_asked_and_one_has_the_rest(per_subject):
    found = made(rows_per_subject=per_subject)
    counts = Counter(found.subject_ids[found.splits == "train"])
    sizes = sorted(counts.values())
    assert sizes[1:] == [per_subject] * (len(sizes) - 1)
    assert 0 < sizes[0] <= per_subject


def test_the_seed_gives_the_splits_and_the_subjects(digits):
    assert rows_digest(made()) == rows_digest(digits)
    other = made(seed=1)
    assert (other.splits != digits.splits).any()
    assert (other.subject_ids != digits.subject_ids).any()


def test_the_images_and_labels_are_no_matter_of_the_seed(digits):
    other = made(seed=1)
    assert (other.sha256 == digits.sha256).all()
    assert (other.labels == digits.labels).all()


@pytest.mark.parametrize("count", [1, 25])
def test_canaries_are_so_many_mislabelled_training_rows_and_as_many_held_out_ones(digits, count):
    found = made(canaries=count)
    mislabelled = found.labels != digits.labels
    planted, held_out = found.subject_ids == CANARY_SUBJECT, found.splits == "canary"
    assert planted.sum() == held_out.sum() == count
    assert (mislabelled == (planted | held_out)).all()
    assert (found.splits[planted] == "train").all()
    assert (digits.splits[held_out] == "train").all()


def test_planted_canaries_and_their_wrong_labels_have_not_changed_since_they_were_the_only_half():
    found = made(canaries=3)
    planted = found.subject_ids == CANARY_SUBJECT
    assert dict(zip(found.sample_ids[planted], found.labels[planted], strict=True)) == PLANTED


def test_canaries_leave_all_other_splits_alone(digits):
    found = made(canaries=25)
    others = found.splits != "canary"
    assert (found.splits[others] == digits.splits[others]).all()


def test_more_canaries_than_training_rows_are_refused_with_both_numbers():
    with pytest.raises(ConfigurationError, match=r"2000 canaries, .* do not fit into \d+ training rows"):
        made(canaries=2000)


def test_images_are_the_scans():
    from sklearn.datasets import load_digits

    table, _ = make_digits(DigitsSource())
    pixels = decode(table["image"].to_pylist(), channels=1)
    np.testing.assert_allclose(pixels[:, 0] * 16, load_digits().images, atol=16 / 255)


def test_every_row_names_its_image():
    table, _ = make_digits(DigitsSource())
    assert [sha256(image) for image in table["image"].to_pylist()] == table["sha256"].to_pylist()
