"""Accuracy weighs samples, not batches or classes."""

import torch

from unlearn_core.metric import Subject
from unlearn_core.metrics.accuracy import Accuracy

from . import world


def values(subject, **settings):
    return {entry.name: entry.value for entry in Accuracy(**settings).measure(subject, seed=0)}


def test_accuracy_of_a_class_takes_both_sides_together():
    labels = torch.zeros(4, dtype=torch.int64)
    right = world.saying(labels, labels, labels[:, None])
    wrong = world.saying(labels[:1], labels[:1] + 1, labels[:1, None])
    found = values(Subject(world.CLASSES, (), {("test", "forget"): wrong, ("test", "retain"): right}))
    assert found["accuracy.test.class.0"] == 0.8
    assert "accuracy.test.class.1" not in found


def test_every_sample_weighs_the_same():
    labels = torch.tensor([0] * 9 + [1])
    said = world.saying(labels, torch.zeros_like(labels), labels[:, None])
    assert values(Subject(world.CLASSES, (), {("test", "retain"): said}))["accuracy.test.retain"] == 0.9


def test_parts_broken_down_by_class_can_be_chosen():
    names = values(world.ordinary(), per_class=("audit", "train"))
    assert {name.split(".")[1] for name in names if ".class." in name} == {"audit", "train"}
