"""Interclass confusion counts mistakes between two classes and no others."""

from dataclasses import replace

import pytest
import torch

from unlearn_core.conformance import subjects
from unlearn_core.metric import Subject
from unlearn_core.metrics.interclass_confusion import InterclassConfusion


def values(subject, **settings):
    return {entry.name: entry.value for entry in InterclassConfusion(**settings).measure(subject, seed=0)}


def subject(called):
    """Held out are four samples of class 0, four of 1 and two of 3; one of 0 and one of 1 were forgotten."""
    labels = torch.tensor([0, 0, 0, 0, 1, 1, 1, 1, 3, 3])
    held_out = subjects.saying(labels, torch.tensor(called))
    forgotten = torch.tensor([0, 1])
    views = {("train", "forget"): subjects.saying(forgotten, torch.tensor([0, 0]))}
    return Subject(
        subjects.CLASSES, (), {**views, ("audit", "retain"): held_out, ("test", "retain"): held_out}
    )


def test_only_mistakes_between_the_two_count():
    found = values(subject([0, 1, 1, 2, 0, 1, 3, 1, 0, 1]))
    assert found["interclass_confusion.test.retain"] == 3 / 8
    assert found["interclass_confusion.recalled.train.forget"] == 1 / 2


def test_pair_can_be_given():
    found = values(subject([0, 1, 1, 2, 0, 1, 3, 1, 0, 1]), pair=(1, 3))
    assert found["interclass_confusion.test.retain"] == 2 / 6


def test_forgotten_samples_of_other_than_two_classes_are_no_such_test():
    three = torch.tensor([0, 1, 3])
    plain = subject([0] * 10)
    assert (
        values(replace(plain, views={**plain.views, ("train", "forget"): subjects.saying(three, three)}))
        == {}
    )


def test_part_without_the_two_classes_is_left_out():
    found = values(subject([0] * 10), pair=(2, 4))
    assert set(found) == {"interclass_confusion.recalled.train.forget"}


def test_pair_of_one_class_is_refused():
    with pytest.raises(ValueError, match="class 2 is named twice"):
        InterclassConfusion(pair=(2, 2))
