"""Confidence tells an ordinary answer from a pushed one."""

import math

import pytest
import torch

from unlearn_core.conformance import subjects
from unlearn_core.metric import Subject
from unlearn_core.metrics.confidence import Confidence


def values(logits):
    labels = torch.zeros(len(logits), dtype=torch.int64)
    said = subjects.outputs(logits, labels)
    measured = Confidence().measure(Subject(subjects.CLASSES, (), {("train", "forget"): said}), seed=0)
    return {entry.name.removesuffix(".train.forget"): entry.value for entry in measured}


def test_indifferent_model_has_the_largest_entropy():
    found = values(torch.zeros(3, subjects.CLASSES))
    assert found["confidence.entropy"] == pytest.approx(math.log(subjects.CLASSES))
    assert found["confidence.true_class"] == pytest.approx(1 / subjects.CLASSES)


def test_suppressed_class_has_no_probability_at_all():
    logits = torch.zeros(3, subjects.CLASSES)
    logits[:, 0] = -1000
    found = values(logits)
    assert found["confidence.true_class"] == 0
    assert found["confidence.entropy"] == pytest.approx(math.log(subjects.CLASSES - 1))
