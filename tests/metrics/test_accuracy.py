"""Accuracy weighs samples, not batches or classes."""

import torch

from unlearn_core.conformance import subjects
from unlearn_core.metric import Subject
from unlearn_core.metrics.accuracy import Accuracy


def values(subject, **settings):
    return {entry.name: entry.value for entry in Accuracy(**settings).measure(subject, seed=0)}


def test_accuracy_of_a_class_takes_both_sides_together():
    labels = torch.zeros(4, dtype=torch.int64)
    right = subjects.saying(labels, labels, labels[:, None])
    wrong = subjects.saying(labels[:1], labels[:1] + 1, labels[:1, None])
    found = values(Subject(subjects.CLASSES, (), {("test", "forget"): wrong, ("test", "retain"): right}))
    assert found["accuracy.test.class.0"] == 0.8
    assert "accuracy.test.class.1" not in found


def test_every_sample_weighs_the_same():
    labels = torch.tensor([0] * 9 + [1])
    said = subjects.saying(labels, torch.zeros_like(labels), labels[:, None])
    assert values(Subject(subjects.CLASSES, (), {("test", "retain"): said}))["accuracy.test.retain"] == 0.9


def test_parts_broken_down_by_class_can_be_chosen():
    names = values(subjects.ordinary(), per_class=("audit", "train"))
    assert {name.split(".")[1] for name in names if ".class." in name} == {"audit", "train"}
