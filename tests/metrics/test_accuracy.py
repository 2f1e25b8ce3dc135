"""Accuracy weighs samples, not batches or classes."""

import pytest
import torch
from world import content

from unlearn_core.conformance import subjects
from unlearn_core.evaluating import evaluate
from unlearn_core.metric import Subject
from unlearn_core.metrics.accuracy import Accuracy
from unlearn_core.metrics.average_gap import AverageGap
from unlearn_core.metrics.confidence import Confidence


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


def one_class_left():
    """All retained samples are of one class, and every model is right about them."""
    kept, gone = torch.zeros(6, dtype=torch.int64), torch.ones(4, dtype=torch.int64)
    views = {
        **{
            (part, "retain"): subjects.saying(kept, kept, kept[:, None])
            for part in ("train", "audit", "test")
        },
        **{
            (part, "forget"): subjects.saying(gone, kept[:4], gone[:, None])
            for part in ("train", "audit", "test")
        },
    }
    return Subject(subjects.CLASSES, (1,), views, reference=views)


@pytest.mark.parametrize(
    ("metric", "families"),
    [
        (Accuracy(), ("accuracy", "loss")),
        (Confidence(), ("confidence.true_class", "confidence.entropy")),
    ],
)
def test_where_one_class_is_left_what_is_right_anyway_is_not_measured(metric, families):
    found = evaluate((metric,), one_class_left(), model_digest=content("model"), seed=0)
    silent = {f"{family}.{part}.retain" for family in families for part in ("train", "audit", "test")}
    measured = {entry.name for entry in found.measurements}
    assert {entry.name for entry in found.unmeasured} == silent
    assert not silent & measured
    assert {f"{family}.{part}.forget" for family in families for part in ("train", "audit")} <= measured
    assert "accuracy.test.class.0" not in measured
    assert "one class is left" in found.silence(f"{families[0]}.audit.retain")


def test_the_average_gap_leaves_out_what_says_nothing():
    names = {entry.name for entry in AverageGap().measure(one_class_left(), seed=0)}
    assert "average_gap.accuracy.train.forget" in names
    assert not {name for name in names if name.endswith("retain")}


def test_with_two_classes_everything_is_measured():
    found = evaluate((Accuracy(),), subjects.ordinary(), model_digest=content("model"), seed=0)
    assert found.unmeasured == ()
    assert b"unmeasured" not in found.canonical()
