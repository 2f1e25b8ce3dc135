"""SalUn's attack: memory of training shows, a class that is gone is no membership, its cost is bounded."""

import statistics
from dataclasses import replace

import pytest
import torch
from sklearn.svm import SVC

from unlearn_core.conformance import subjects
from unlearn_core.errors import UsageError
from unlearn_core.metric import Subject
from unlearn_core.metrics.svc_salun import SvcSalun


def measured(subject, **settings):
    return {entry.name: entry for entry in SvcSalun(**settings).measure(subject, seed=0)}


def values(subject, **settings):
    return {name: entry.value for name, entry in measured(subject, **settings).items()}


def overfitted(*, remembers, per_view=300):
    """Sure of the retained training data and unsure of everything held out; the forgotten data is either."""
    generator = torch.Generator().manual_seed(11)
    labels = torch.arange(per_view) % subjects.CLASSES
    signals = {
        ("train", "retain"): 6.0,
        ("train", "forget"): 6.0 if remembers else 2.0,
        ("audit", "retain"): 2.0,
        ("test", "retain"): 2.0,
    }
    views = {view: subjects.noisy(labels, generator, signal=signal) for view, signal in signals.items()}
    return Subject(subjects.CLASSES, (), views)


def test_attack_finds_samples_that_the_model_remembers():
    found = measured(overfitted(remembers=True))["svc_salun.difference"]
    assert found.low > 0.3


def test_attack_fails_on_a_model_that_never_saw_the_samples():
    found = measured(overfitted(remembers=False))["svc_salun.difference"]
    assert found.low <= 0 <= found.high


def test_suppressed_class_is_called_non_member_whether_it_was_seen_or_not():
    """Seen and unseen samples of the class look alike: the share says forgotten, the difference nought."""
    subject = overfitted(remembers=True)
    wrong = {
        view: subjects.saying(said.labels, (said.labels + 1) % subjects.CLASSES)
        for view, said in subject.views.items()
        if view in {("train", "forget"), ("audit", "retain")}
    }
    found = values(replace(subject, views={**subject.views, **wrong}))
    assert found["svc_salun.non_members.train.forget"] == 1
    assert found["svc_salun.difference"] == 0


def test_equals_a_plain_classifier_where_nothing_is_drawn():
    subject = overfitted(remembers=True, per_view=60)

    def rows(part, side):
        said = subject.views[part, side]
        shares = torch.softmax(said.logits.double(), 1)
        return [[share[label].item()] for share, label in zip(shares, said.labels, strict=True)]

    machine = SVC(C=3, gamma=1.0)
    machine.fit(rows("train", "retain") + rows("test", "retain"), [1] * 60 + [0] * 60)
    expected = 1 - statistics.fmean(machine.predict(rows("train", "forget")))
    assert values(subject)["svc_salun.non_members.train.forget"] == pytest.approx(expected)


def test_no_more_samples_are_fitted_than_stated():
    found = measured(overfitted(remembers=True), at_most=50)
    assert {entry.samples for entry in found.values()} == {50}


def test_another_seed_draws_other_samples():
    found = [SvcSalun(at_most=20).measure(overfitted(remembers=True), seed=seed) for seed in range(6)]
    assert len(set(found)) > 1


def test_unseen_are_of_the_forgotten_classes_alone():
    """Audit samples of a class that was not forgotten are all sure to be members, and must not count."""
    subject = overfitted(remembers=False)
    forgotten = subject.views["train", "forget"]
    zeros = torch.zeros(40, dtype=torch.int64)
    views = {**subject.views, ("train", "forget"): subjects.rows_of(forgotten, forgotten.labels == 0)}
    first, second = (subjects.saying(labels, zeros + 1, torch.zeros(40, 6)) for labels in (zeros, zeros + 1))
    views["audit", "retain"] = first.joined(second)
    assert values(replace(subject, views=views))["svc_salun.non_members.unseen"] == 1


def test_forgotten_classes_without_unseen_samples_are_refused():
    subject = overfitted(remembers=True)
    audit = subject.views["audit", "retain"]
    views = {**subject.views, ("audit", "retain"): subjects.rows_of(audit, audit.labels == 0)}
    forgotten = subject.views["train", "forget"]
    views["train", "forget"] = subjects.rows_of(forgotten, forgotten.labels == 1)
    with pytest.raises(UsageError, match="nothing unseen"):
        SvcSalun().measure(replace(subject, views=views), seed=0)
