"""Pseudo-requests are drawn as real ones come: whole classes, whole persons, disjoint groups, few at once."""

import numpy as np
import pytest
from world import content, manifest

from unlearn_core.errors import RequestError
from unlearn_core.pseudo_requests import MOST_AT_ONCE, draw_trainings

PERSONS = "".join(letter * 4 for letter in "abcdefghijklmnopqrstuvwxyz") + "-" * 296
ROWS = manifest("abc" * 133 + "a", "r" * 380 + "u" * 20, subjects=PERSONS)
TRAIN = int((ROWS.splits == "train").sum())


@pytest.mark.parametrize("kind", ["subjects", "samples"])
def test_one_training_leaves_out_few_disjoint_groups(kind):
    drawn = draw_trainings(ROWS, kind, 9, seed=0)
    assert sum(len(one.groups) for one in drawn) == 9
    assert [one.fold for one in drawn] == list(range(len(drawn)))
    for one in drawn:
        assert len(one.rows) == sum(map(len, one.groups)) == len(set(one.rows))
        assert len(one.rows) <= MOST_AT_ONCE * TRAIN
        assert set(ROWS.splits[list(one.rows)]) == {"train"}


def test_a_person_is_drawn_whole_and_once():
    drawn = draw_trainings(ROWS, "subjects", 12, seed=1)
    groups = [group for one in drawn for group in one.groups]
    names = [set(ROWS.subject_ids[list(group)].tolist()) for group in groups]
    assert all(len(some) == 1 for some in names)
    assert len(set.union(*names)) == 12
    for group, (name,) in zip(groups, names, strict=True):
        assert list(group) == np.flatnonzero(ROWS.subject_ids == name).tolist()


def test_random_groups_share_no_person():
    for one in draw_trainings(ROWS, "samples", 8, seed=2):
        named = [set(ROWS.subject_ids[list(group)].tolist()) - {""} for group in one.groups]
        assert sum(map(len, named)) == len(set.union(*named))


def test_a_class_takes_a_training_of_its_own_and_is_trained_once():
    drawn = draw_trainings(ROWS, "classes", 20, seed=3)
    assert len(drawn) == 3
    found = [set(ROWS.labels[list(one.rows)].tolist()) for one in drawn]
    assert set.union(*found) == {0, 1, 2}
    assert [len(some) for some in found] == [1, 1, 1]
    assert sum(len(one.rows) for one in drawn) == TRAIN


def test_the_seed_decides_what_is_drawn():
    first, again, other = (draw_trainings(ROWS, "subjects", 5, seed=seed) for seed in (0, 0, 1))
    assert first == again != other


def test_who_holds_out_rows_or_has_copies_is_not_drawn():
    rows = manifest("aabbcc", "rrruur", subjects="xxyyzw", contents=[0, 1, 2, 3, 4, 4])
    (one,) = draw_trainings(rows, "subjects", 1, seed=0)
    assert one.rows == (0, 1)
    with pytest.raises(RequestError, match="2 persons were asked for; 1 can be forgotten"):
        draw_trainings(rows, "subjects", 2, seed=0)


def test_what_cannot_be_drawn_is_said():
    one_class = manifest("aaa", "rrr", contents=[content(0), content(1), content(2)])
    with pytest.raises(RequestError, match="one class alone"):
        draw_trainings(one_class, "classes", 1, seed=0)
    with pytest.raises(RequestError, match="too few training rows"):
        draw_trainings(manifest("ab", "rr", contents=[0, 0]), "samples", 1, seed=0)
