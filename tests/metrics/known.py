"""What each metric must say where the answer is known. A metric that is listed needs an entry in each table.

``NEUTRAL``: on ``world.indistinct``, within the tolerance given. ``EXTREME``: on ``world.separated``.
``NAIVE``: the obvious loops, on any subject.
"""

import math

import numpy as np
from sklearn.linear_model import LogisticRegression

SIDES = ("forget", "retain")

NEUTRAL = {
    "accuracy": lambda subject: {
        f"accuracy.train.{side}": (share_right(subject.views["audit", side]), 0.08) for side in SIDES
    },
    "confidence": lambda subject: {
        "confidence.true_class.train.forget": (mean_true_class(subject.views["audit", "forget"]), 0.08),
        "confidence.entropy.train.forget": (mean_entropy(subject.views["audit", "forget"]), 0.08),
    },
    "membership": lambda _: {
        "mia.loss_auc": (0.5, 0.06),
        "mia.logistic_auc": (0.5, 0.06),
        "mia.softmax_auc": (0.5, 0.06),
        "mia.balanced_accuracy": (0.5, 0.06),
    },
    "probe": lambda _: {"probe.gap": (0.0, 0)},
    "divergence": lambda subject: {f"js.{part}.{side}": (0.0, 0) for part, side in subject.views},
}

EXTREME = {
    "accuracy": {
        "accuracy.train.forget": 1,
        "accuracy.audit.forget": 0,
        "loss.train.forget": 0,
        "loss.audit.forget": 60,
        "accuracy.test.class.2": 0,
        "accuracy.test.class.1": 1,
    },
    "confidence": {
        "confidence.true_class.train.forget": 1,
        "confidence.true_class.audit.forget": 0,
        "confidence.entropy.train.forget": 0,
        "confidence.entropy.audit.forget": 0,
    },
    "membership": {
        "mia.loss_auc": 1,
        "mia.logistic_auc": 1,
        "mia.balanced_accuracy": 1,
        # Sorted, a certain mistake looks like a certain truth.
        "mia.softmax_auc": 0.5,
    },
    "probe": {"probe.accuracy": 1, "probe.gap": 1},
    "divergence": {"js.train.forget": 1, "js.audit.forget": 1, "js.test.retain": 1},
}


def naive_accuracy(subject):
    found = {}
    for (part, side), said in subject.views.items():
        found[f"accuracy.{part}.{side}"] = share_right(said)
        found[f"loss.{part}.{side}"] = sum(-math.log(p[y]) for p, y in each(said)) / len(said)
    return found


def naive_confidence(subject):
    found = {}
    for (part, side), said in subject.views.items():
        found[f"confidence.true_class.{part}.{side}"] = mean_true_class(said)
        found[f"confidence.entropy.{part}.{side}"] = mean_entropy(said)
    return found


def naive_membership(subject):
    if not subject.forget_classes:
        return {}
    members = [-math.log(p[y]) for p, y in each(subject.views["train", "forget"])]
    unseen = [-math.log(p[y]) for p, y in each(subject.views["audit", "forget"])]
    wins = sum(1.0 if mine < other else 0.5 * (mine == other) for mine in members for other in unseen)
    return {"mia.loss_auc": wins / (len(members) * len(unseen))}


def naive_probe(subject):
    accuracy = naive_probe_accuracy(subject.views, whole=bool(subject.forget_classes))
    theirs = naive_probe_accuracy(subject.reference, whole=bool(subject.forget_classes))
    return {"probe.accuracy": accuracy, "probe.gap": accuracy - theirs}


def naive_probe_accuracy(views, *, whole):
    retain, forget = views["train", "retain"], views["train", "forget"]
    shown = [retain, forget] if whole else [retain]
    judged = views["audit", "forget"] if whole else forget
    features = np.concatenate([said.features.numpy() for said in shown]).astype(float)
    labels = np.concatenate([said.labels.numpy() for said in shown])
    middle, scale = features.mean(0), features.std(0)
    head = LogisticRegression(class_weight="balanced", max_iter=2000).fit((features - middle) / scale, labels)
    right = 0
    for row, label in zip(judged.features.numpy(), judged.labels.tolist(), strict=True):
        right += head.predict([(row - middle) / scale])[0] == label
    return right / len(judged)


def naive_divergence(subject):
    found = {}
    for (part, side), said in subject.views.items():
        theirs = subject.reference[part, side]
        pairs = zip(each(said), each(theirs), strict=True)
        found[f"js.{part}.{side}"] = sum(jensen_shannon(p, q) for (p, _), (q, _) in pairs) / len(said)
    return found


NAIVE = {
    "accuracy": naive_accuracy,
    "confidence": naive_confidence,
    "membership": naive_membership,
    "probe": naive_probe,
    "divergence": naive_divergence,
}


def each(said):
    """Return the softmax and the label of every sample, by plain arithmetic."""
    rows = []
    for logits, label in zip(said.logits.tolist(), said.labels.tolist(), strict=True):
        powers = [math.exp(logit) for logit in logits]
        rows.append(([power / sum(powers) for power in powers], label))
    return rows


def share_right(said):
    return sum(max(range(len(p)), key=p.__getitem__) == label for p, label in each(said)) / len(said)


def mean_true_class(said):
    return sum(p[label] for p, label in each(said)) / len(said)


def mean_entropy(said):
    return sum(-sum(one * math.log(one) for one in p) for p, _ in each(said)) / len(said)


def jensen_shannon(p, q):
    middle = [(a + b) / 2 for a, b in zip(p, q, strict=True)]
    return (kullback_leibler(p, middle) + kullback_leibler(q, middle)) / 2


def kullback_leibler(p, q):
    return sum(a * math.log2(a / b) for a, b in zip(p, q, strict=True) if a > 0)
