"""What is special to the membership attacks: fair folds, fair opponents, enough samples."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import RepeatedStratifiedKFold, StratifiedKFold, cross_val_predict

from unlearn_core import roc
from unlearn_core.conformance import subjects
from unlearn_core.errors import UsageError
from unlearn_core.metric import Outputs, Subject
from unlearn_core.metrics.membership import Membership, attack, loss_scores, matched


def values(subject, seed=0, **settings):
    return {entry.name: entry.value for entry in Membership(**settings).measure(subject, seed=seed)}


def noise(count, seed):
    return np.random.default_rng(seed).normal(size=(count, 2))


def pooled_auc(members, others, seed):
    """What must not be done: rank scores of different folds' models against one another."""
    signals = np.concatenate([members, others])
    is_member = np.arange(len(signals)) < len(members)
    folds = StratifiedKFold(6, shuffle=True, random_state=seed)
    scores = cross_val_predict(LogisticRegression(), signals, is_member, cv=folds, method="decision_function")
    return roc.auc(scores[is_member], scores[~is_member])


def test_attack_on_pure_noise_averages_one_half_where_pooling_does_not():
    pairs = [(noise(12, seed), noise(12, 1000 + seed)) for seed in range(40)]
    of_folds = [attack(*pair, folds=6, repeats=1, seed=seed).auc.value for seed, pair in enumerate(pairs)]
    pooled = [pooled_auc(*pair, seed) for seed, pair in enumerate(pairs)]
    assert np.mean(of_folds) == pytest.approx(0.5, abs=0.02)
    assert np.mean(pooled) < np.mean(of_folds) - 0.01


def test_auc_of_an_attack_is_the_mean_over_folds():
    members, others = noise(30, 1) + 0.5, noise(20, 2)
    signals, is_member = np.concatenate([members, others]), np.arange(50) < 30
    found = []
    for seen, held_out in RepeatedStratifiedKFold(n_splits=5, n_repeats=2, random_state=3).split(
        signals, is_member
    ):
        middle, scale = signals[seen].mean(0), signals[seen].std(0)
        head = LogisticRegression(class_weight="balanced")
        head.fit((signals[seen] - middle) / scale, is_member[seen])
        scores = head.decision_function((signals[held_out] - middle) / scale)
        found.append(roc.auc(scores[is_member[held_out]], scores[~is_member[held_out]]))
    assert attack(members, others, folds=5, repeats=2, seed=3).auc.value == pytest.approx(np.mean(found))


def test_attack_on_pure_noise_calls_half_right():
    found = [attack(noise(30, s), noise(60, 900 + s), folds=5, repeats=1, seed=s) for s in range(30)]
    assert np.mean([one.balanced_accuracy.value for one in found]) == pytest.approx(0.5, abs=0.04)


def test_same_outputs_for_seen_and_unseen_give_one_half():
    subject = subjects.ordinary()
    subject.views["audit", "forget"] = subject.views["train", "forget"]
    assert values(subject)["mia.loss_auc"] == pytest.approx(0.5)


def test_lower_loss_means_member():
    subject = subjects.separated()
    assert values(subject)["mia.loss_auc"] == 1
    subject.views["train", "forget"], subject.views["audit", "forget"] = (
        subject.views["audit", "forget"],
        subject.views["train", "forget"],
    )
    assert values(subject)["mia.loss_auc"] == 0


@pytest.mark.parametrize("sample_scope", [False, True])
def test_scores_handed_out_are_those_of_the_raw_loss_attack(sample_scope):
    subject = subjects.ordinary(sample_scope=sample_scope)
    assert roc.auc(*loss_scores(subject, seed=3)) == values(subject, seed=3)["mia.loss_auc"]


def test_samples_are_those_of_the_smaller_kind():
    assert {entry.samples for entry in Membership().measure(subjects.ordinary(), seed=0)} == {30}


@pytest.mark.parametrize(("unseen", "measured"), [(999, False), (1000, True)])
def test_tpr_at_low_fpr_needs_a_thousand_unseen(unseen, measured):
    subject = subjects.separated()
    labels = torch.full((unseen,), subjects.FORGOTTEN_CLASS)
    subject.views["audit", "forget"] = subjects.saying(
        labels, (labels + 1) % subjects.CLASSES, labels[:, None]
    )
    assert values(subject, repeats=1).get("mia.loss_tpr_at_1pct_fpr") == (1 if measured else None)


def test_too_few_samples_leave_only_the_raw_loss():
    subject = subjects.ordinary()
    said = subject.views["train", "forget"]
    subject.views["train", "forget"] = Outputs(said.logits[:9], said.features[:9], said.labels[:9])
    assert set(values(subject)) == {"mia.loss_auc"}


def test_single_samples_meet_unseen_of_their_own_classes():
    """Only class 0 is forgotten; unseen samples of class 1 have telling losses and must not count."""
    forgotten = torch.zeros(20, dtype=torch.int64)
    unseen = torch.tensor([0] * 20 + [1] * 20)
    said = {
        ("train", "forget"): subjects.saying(forgotten, forgotten, forgotten[:, None]),
        ("audit", "retain"): subjects.saying(unseen, torch.zeros_like(unseen), unseen[:, None]),
    }
    assert values(Subject(subjects.CLASSES, (), said))["mia.loss_auc"] == 0.5


def test_forgotten_classes_without_unseen_samples_are_refused():
    forgotten, unseen = torch.zeros(20, dtype=torch.int64), torch.ones(20, dtype=torch.int64)
    said = {
        ("train", "forget"): subjects.saying(forgotten, forgotten, forgotten[:, None]),
        ("audit", "retain"): subjects.saying(unseen, unseen, unseen[:, None]),
    }
    with pytest.raises(UsageError, match="nothing unseen"):
        Membership().measure(Subject(subjects.CLASSES, (), said), seed=0)


def test_forgotten_samples_of_a_class_without_unseen_ones_are_counted():
    forgotten, unseen = torch.tensor([0] * 20 + [1] * 3), torch.zeros(20, dtype=torch.int64)
    said = {
        ("train", "forget"): subjects.saying(forgotten, forgotten, forgotten[:, None]),
        ("audit", "retain"): subjects.saying(unseen, unseen, unseen[:, None]),
    }
    assert values(Subject(subjects.CLASSES, (), said))["mia.left_out"] == 3
    assert "mia.left_out" not in values(subjects.ordinary())


def test_unseen_are_drawn_in_the_members_proportions():
    labels, pool = np.repeat([0, 1, 3], [10, 5, 1]), np.repeat([0, 1, 2, 3], [40, 40, 40, 40])
    drawn = pool[matched(labels, pool, rng=np.random.default_rng(0))]
    assert np.unique(drawn, return_counts=True)[1].tolist() == [40, 20, 4]


def test_draw_never_repeats_a_sample_and_follows_the_seed():
    labels, pool = np.repeat([0, 1], [4, 1]), np.repeat([0, 1], [20, 40])
    draws = [matched(labels, pool, rng=np.random.default_rng(seed)) for seed in (0, 0, 1)]
    assert len(set(draws[0])) == len(draws[0])
    assert (draws[0] == draws[1]).all()
    assert (draws[0] != draws[2]).any()
