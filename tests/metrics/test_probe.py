"""The probe looks past the head."""

from dataclasses import replace

import pytest
import torch
from torch.nn import functional as F

from unlearn_core.conformance import subjects
from unlearn_core.errors import UsageError
from unlearn_core.metric import Outputs, Subject
from unlearn_core.metrics.probe import Probe


def values(subject, **settings):
    return {entry.name: entry.value for entry in Probe(**settings).measure(subject, seed=0)}


def test_class_suppressed_in_the_head_alone_is_found_by_the_probe():
    subject = subjects.separated()
    suppressed = {
        view: Outputs(
            said.logits - 1000 * F.one_hot(torch.tensor(subjects.FORGOTTEN_CLASS), subjects.CLASSES),
            said.features,
            said.labels,
        )
        for view, said in subject.views.items()
    }
    assert not suppressed["audit", "forget"].correct().any()
    assert values(replace(subject, views=suppressed))["probe.accuracy"] == 1


def test_without_a_reference_there_is_no_gap():
    assert set(values(replace(subjects.ordinary(), reference=None))) == {"probe.accuracy"}


def test_gap_to_itself_is_nought():
    subject = subjects.ordinary()
    assert values(replace(subject, reference=subject.views))["probe.gap"] == 0


def test_memorised_wrong_labels_show_in_sample_scope():
    """Features carry the wrong labels of forgotten samples in one model, the right ones in the other."""
    right = torch.arange(4).repeat(10)
    wrong = (right + 1) % subjects.CLASSES
    retain = subjects.saying(right, right, F.one_hot(right, 4))

    def views(shown):
        return {
            ("train", "retain"): retain,
            ("train", "forget"): subjects.saying(wrong, wrong, F.one_hot(shown, 4)),
        }

    found = values(Subject(subjects.CLASSES, (), views(wrong), views(right)))
    assert found == {"probe.accuracy": 1, "probe.gap": 1}


@pytest.mark.parametrize("per_class", [5, 20])
def test_draw_of_training_samples_ignores_their_order(per_class):
    subject = subjects.ordinary()
    expected = values(subject, per_class=per_class)
    assert values(subjects.shuffled(subject, seed=4), per_class=per_class) == expected


def test_absent_view_is_refused_by_name():
    subject = subjects.ordinary()
    del subject.views["audit", "forget"]
    with pytest.raises(UsageError, match=r"audit\.forget is absent"):
        Probe().measure(subject, seed=0)
