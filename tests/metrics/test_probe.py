"""The probe looks past the head."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
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
    found = values(replace(subjects.ordinary(), reference=None, depths=None))
    assert set(found) == {"probe.accuracy", "probe.few.accuracy"}


def test_without_a_second_look_inside_there_is_no_gap_at_any_depth():
    subject = subjects.ordinary()
    found = values(replace(subject, depths=replace(subject.depths, reference=None)))
    assert found.keys() - values(replace(subject, depths=None)).keys() == {
        f"probe.depth_{depth}.accuracy" for depth in (1, 2, 3)
    }


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
    with pytest.raises(UsageError, match="every forgotten class has a sample in the audit split"):
        Probe().measure(subject, seed=0)


def test_few_examples_are_enough_where_the_class_stands_apart_and_not_where_it_does_not():
    """Held-out forgotten samples lie where their five examples lie, or nowhere near them."""
    subject = subjects.separated()
    found = values(subject)
    assert found["probe.few.accuracy"] == 1
    assert found["probe.few.gap"] == 1
    assert not any(name.startswith("probe.few") for name in values(subjects.in_sample_scope(subject)))


def test_few_examples_are_averaged_over_draws_of_them():
    """By hand: every draw's probe is fitted on its rows alone, and judged on all held-out samples."""
    subject = subjects.ordinary()
    retain, forget = subject.views["train", "retain"], subject.views["train", "forget"]
    rows, labels = (
        torch.cat([getattr(view, name) for view in (retain, forget)]).numpy()
        for name in ("features", "labels")
    )
    order = np.lexsort((rows.astype(float).sum(1), labels))
    rows, labels = rows[order].astype(float), labels[order]
    rng, shares = np.random.default_rng(0), []

    def drawn(count):
        return [row for label in range(4) for row in rng.permutation(np.flatnonzero(labels == label))[:count]]

    others = [row for row in drawn(10) if labels[row] != subjects.FORGOTTEN_CLASS]
    for _ in range(3):
        shown = others + [row for row in drawn(2) if labels[row] == subjects.FORGOTTEN_CLASS]
        middle, scale = rows[shown].mean(0), rows[shown].std(0)
        head = LogisticRegression(class_weight="balanced", max_iter=2000)
        head.fit((rows[shown] - middle) / scale, labels[shown])
        judged = [subject.views[part, "forget"].features.numpy() for part in ("audit", "test")]
        said = head.predict((np.concatenate(judged) - middle) / scale)
        shares.append((said == subjects.FORGOTTEN_CLASS).mean())
    found = values(subject, few=2, few_others=10, few_draws=3)
    assert found["probe.few.accuracy"] == pytest.approx(np.mean(shares))
