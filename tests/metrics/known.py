"""What each metric must say where the answer is known. A metric that is listed needs an entry in each table.

``NEUTRAL``: on ``subjects.indistinct``, within the tolerance given. ``EXTREME``: on ``subjects.separated``.
``NAIVE``: the obvious loops, on any subject.
"""

import math
import statistics

import numpy as np
from sklearn.linear_model import LogisticRegression

from unlearn_core.conformance import observed, subjects

from . import known_models, world

SIDES = ("forget", "retain")

WITHOUT_INTERVAL = "|".join(
    [
        r"average_gap\.mean",
        r"relearn\..*",
        r"weight_distance\..*",
        r"ulira\.shadows",
        r"epsilon\.(unlearned_models|retrained_models|score)",
        r"canary\.(p_value|exposure)",
        r"klom\.(p95\..*|unlearned_models|retrained_models|lowest_edge|highest_edge|bias)",
    ]
)
"""What is one number, a count or a statement of terms; everything else has an interval."""

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
    "canary": lambda subject: {
        "canary.auc": (0.5, 0.06),
        "canary.exposure": (exposure_of_nothing(len(subject.views["canary", "retain"])), 0.2),
    },
    "probe": lambda _: {
        f"probe{kind}.gap": (0.0, 0) for kind in ("", ".few", ".depth_1", ".depth_2", ".depth_3")
    },
    "recovery": lambda _: {"recovery.gap": (0.0, 0)},
    "divergence": lambda subject: {
        f"js{floor}.{part}.{side}": (0.0, 0)
        for part, side in subject.shared_views()
        for floor in ("", ".floor")
    },
    "activation": lambda subject: {
        "activation.unchanged": (1.0, 0),
        **{
            f"activation{floor}.{part}.{side}": (0.0, 0)
            for part, side in subject.shared_views()
            for floor in ("", ".floor")
        },
    },
    "neighbour_leakage": lambda _: {"neighbour_leakage.train.forget": (0.0, 0)},
    "zrf": lambda _: {"zrf.train.forget": (1.0, 0), "zrf.gap.train.forget": (0.0, 0)},
    "svc_salun": lambda _: {"svc_salun.difference": (0.0, 0.1)},
    "svc_efficacy": lambda _: {"svc_efficacy.difference": (0.0, 0.1)},
    "average_gap": lambda _: {"average_gap.mean": (0.0, 0), "average_gap.accuracy.train.forget": (0.0, 0)},
    "interclass_confusion": lambda _: {
        "interclass_confusion.gap.test.retain": (0.0, 0),
        "interclass_confusion.gap.recalled.train.forget": (0.0, 0),
    },
    "relearn": lambda _: {
        "relearn.ratio": (1.0, 0),
        "relearn.censored": (0.0, 0),
        "relearn.new_head.ratio": (1.0, 0),
    },
    "weight_distance": lambda _: {"weight_distance.whole": (0.0, 0), "weight_distance.floor.whole": (0.0, 0)},
    "ulira": lambda _: {"ulira.auc": (0.5, 0.06), "ulira.balanced_accuracy": (0.5, 0.06)},
    "epsilon": lambda _: {
        "epsilon.quality.train.forget": (1.0, 0),
        "epsilon.mean.train.forget": (0.0, 0),
        "epsilon.score": (1.0, 0),
    },
    "klom": lambda _: {"klom.mean.train.forget": (0.0, 0), "klom.p95.train.forget": (0.0, 0)},
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
    "canary": {"canary.auc": 1, "canary.exposure": math.log2(25)},
    "probe": {"probe.accuracy": 1, "probe.gap": 1, "probe.few.gap": 1, "probe.depth_1.accuracy": 1},
    "recovery": {"recovery.accuracy": 1, "recovery.gap": 1},
    "divergence": {"js.train.forget": 1, "js.audit.forget": 1, "js.floor.test.retain": 1},
    "activation": {"activation.train.forget": math.sqrt(2), "activation.floor.test.retain": math.sqrt(2)},
    # One model says the next class with certainty, the other's rest is spread evenly over three.
    "neighbour_leakage": {
        "neighbour_leakage.train.forget": 2 / 3,
        "neighbour_leakage.floor.train.forget": 2 / 3,
        "neighbour_leakage.original.train.forget": 0,
    },
    "zrf": {"zrf.train.forget": 0, "zrf.gap.train.forget": -1},
    "svc_salun": {
        "svc_salun.non_members.train.forget": 0,
        "svc_salun.non_members.unseen": 1,
        "svc_salun.difference": 1,
    },
    "svc_efficacy": {
        "svc_efficacy.forgotten.test.forget": 1,
        "svc_efficacy.forgotten.test.retain": 0,
        "svc_efficacy.difference": 1,
    },
    "average_gap": {
        "average_gap.accuracy.train.forget": 1,
        "average_gap.accuracy.train.retain": 0,
        "average_gap.accuracy.test.retain": 0,
        "average_gap.non_members.train.forget": -1,
        "average_gap.mean": 0.5,
    },
    "interclass_confusion": {
        "interclass_confusion.test.retain": 1,
        "interclass_confusion.gap.test.retain": 1,
        "interclass_confusion.recalled.train.forget": 1,
        "interclass_confusion.gap.recalled.train.forget": 1,
    },
    "relearn": {
        "relearn.steps": 20,
        "relearn.censored": 1,
        "relearn.retrained.steps": 4,
        "relearn.ratio": 5,
        "relearn.new_head.steps": 2,
        "relearn.new_head.ratio": 0.5,
    },
    "weight_distance": {"weight_distance.whole": 1, "weight_distance.layer.head": 1},
    "ulira": {"ulira.auc": 1, "ulira.balanced_accuracy": 1, "ulira.shadows": observed.SHADOWS},
    "epsilon": {"epsilon.quality.train.forget": 0.5**12, "epsilon.mean.train.forget": 6.5},
    "klom": {"klom.mean.train.forget": math.log(1e5), "klom.p95.train.forget": math.log(1e5)},
}

EXTREME_WORLDS = {
    "svc_salun": world.memorised,
    "svc_efficacy": world.suppressed,
    "average_gap": world.memorised,
    "interclass_confusion": world.confused,
    "canary": world.remembered,
    "recovery": world.carried,
}
"""Where ``subjects.separated`` is no extreme."""

WORLDS = (
    subjects.ordinary,
    subjects.indistinct,
    subjects.separated,
    world.suppressed,
    world.memorised,
    world.confused,
    world.remembered,
    world.carried,
)


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


def naive_canary(subject):
    if subject.forget_classes:
        return {}
    planted, held_out = (
        [-math.log(p[y]) for p, y in each(subject.views[view])]
        for view in (("train", "forget"), ("canary", "retain"))
    )
    wins = sum(1.0 if mine < other else 0.5 * (mine == other) for mine in planted for other in held_out)
    bits = [
        math.log2((len(held_out) + 1) / (1 + sum(other < mine for other in held_out))) for mine in planted
    ]
    auc = wins / (len(planted) * len(held_out))
    # The normal approximation with its correction for continuity.
    spread = math.sqrt((len(planted) + len(held_out) + 1) / (12 * len(planted) * len(held_out)))
    z = (abs(auc - 0.5) - 0.5 / (len(planted) * len(held_out))) / spread
    return {
        "canary.auc": auc,
        "canary.exposure": statistics.fmean(bits),
        "canary.p_value": 2 * statistics.NormalDist().cdf(-z),
    }


def exposure_of_nothing(held_out):
    """Return the mean exposure where each rank among the held-out ones is as likely as another."""
    ranks = range(1, held_out + 2)
    return statistics.fmean(math.log2((held_out + 1) / rank) for rank in ranks)


def naive_probe(subject):
    accuracy = naive_probe_accuracy(subject.views, whole=bool(subject.forget_classes))
    theirs = naive_probe_accuracy(subject.reference, whole=bool(subject.forget_classes))
    found = {"probe.accuracy": accuracy, "probe.gap": accuracy - theirs}
    for depth in range(3):
        mine, theirs = (
            naive_probe_inside(inner, depth) for inner in (subject.depths.model, subject.depths.reference)
        )
        found[f"probe.depth_{depth + 1}.accuracy"] = mine
        found[f"probe.depth_{depth + 1}.gap"] = mine - theirs
    return found


def naive_probe_inside(inner, depth):
    fitted, judged = inner.fitted[depth].numpy().astype(float), inner.judged[depth].numpy().astype(float)
    return share_named(fitted, inner.fitted_labels.numpy(), judged, inner.judged_labels.tolist())


def naive_probe_accuracy(views, *, whole):
    retain, forget = views["train", "retain"], views["train", "forget"]
    shown = [retain, forget] if whole else [retain]
    judged = [views["audit", "forget"], views["test", "forget"]] if whole else [forget]
    features, others = (
        np.concatenate([said.features.numpy() for said in parts]).astype(float) for parts in (shown, judged)
    )
    labels = np.concatenate([said.labels.numpy() for said in shown])
    return share_named(features, labels, others, [label for said in judged for label in said.labels.tolist()])


def share_named(features, labels, judged, names):
    middle, scale = features.mean(0), features.std(0)
    head = LogisticRegression(class_weight="balanced", max_iter=2000).fit((features - middle) / scale, labels)
    right = 0
    for row, label in zip(judged, names, strict=True):
        right += head.predict([(row - middle) / scale])[0] == label
    return right / len(judged)


def naive_recovery(subject):
    if not subject.forget_classes:
        return {}
    mine, theirs = (
        naive_recovered(views, subject.original["train", "retain"])
        for views in (subject.views, subject.reference)
    )
    return {"recovery.accuracy": mine, "recovery.gap": mine - theirs}


def naive_recovered(views, original):
    """Fit each class's logit on its own, with the penalty as further rows of plain least squares."""
    features = views["train", "retain"].features.numpy().astype(float)
    middle, scale = features.mean(0), features.std(0)
    rows = (features - middle) / scale
    penalty = math.sqrt(0.01 * len(rows)) * np.eye(rows.shape[1])
    judged = [views["audit", "forget"], views["test", "forget"]]
    right = count = 0
    logits = np.array([[one - statistics.fmean(row) for one in row] for row in original.logits.tolist()])
    levels = logits.mean(0)
    maps = [
        np.linalg.lstsq(
            np.concatenate([rows, penalty]),
            np.concatenate([logits[:, label] - levels[label], np.zeros(len(penalty))]),
            rcond=None,
        )[0]
        for label in range(logits.shape[1])
    ]
    for said in judged:
        for row, label in zip(said.features.numpy(), said.labels.tolist(), strict=True):
            said_of = [
                sum(a * b for a, b in zip((row - middle) / scale, one, strict=True)) + level
                for one, level in zip(maps, levels, strict=True)
            ]
            right += max(range(len(said_of)), key=said_of.__getitem__) == label
            count += 1
    return right / count


def naive_divergence(subject):
    found = {}
    for part, side in subject.shared_views():
        said, theirs = subject.views[part, side], subject.reference[part, side]
        pairs = zip(each(said), each(theirs), strict=True)
        found[f"js.{part}.{side}"] = sum(jensen_shannon(p, q) for (p, _), (q, _) in pairs) / len(said)
    return found


def naive_activation(subject):
    found = {"activation.unchanged": naive_unchanged(subject)}
    for part, side in subject.shared_views():
        said = subject.views[part, side]
        pairs = zip(each(said), each(subject.reference[part, side]), strict=True)
        apart = [math.dist(p, q) for (p, _), (q, _) in pairs]
        found[f"activation.{part}.{side}"] = statistics.fmean(apart)
        pairs = zip(each(subject.reference[part, side]), each(subject.floor[part, side]), strict=True)
        apart = [math.dist(p, q) for (p, _), (q, _) in pairs]
        found[f"activation.floor.{part}.{side}"] = statistics.fmean(apart)
    return found


def naive_unchanged(subject):
    rows = [views["train", "forget"].features.tolist() for views in (subject.views, subject.original)]
    same = [math.dist(now, then) <= 1e-4 * math.hypot(*then) for now, then in zip(*rows, strict=True)]
    return sum(same) / len(same)


def naive_neighbour_leakage(subject):
    found = {}
    for part, side in subject.shared_views() if subject.forget_classes else ():
        if side == "forget":
            mine, theirs = each(subject.views[part, side]), each(subject.reference[part, side])
            apart = [
                sum(abs(a - b) for a, b in zip(others(p), others(q), strict=True)) / 2
                for (p, _), (q, _) in zip(mine, theirs, strict=True)
            ]
            found[f"neighbour_leakage.{part}.forget"] = statistics.fmean(apart)
    return found


def others(p):
    kept = [one for label, one in enumerate(p) if label != subjects.FORGOTTEN_CLASS]
    return [one / sum(kept) for one in kept]


def naive_zrf(subject):
    def zrf(views):
        pairs = zip(each(views["train", "forget"]), each(subject.untrained), strict=True)
        return 1 - statistics.fmean(jensen_shannon(p, q) for (p, _), (q, _) in pairs)

    mine, theirs = zrf(subject.views), zrf(subject.reference)
    return {"zrf.train.forget": mine, "zrf.gap.train.forget": mine - theirs}


def naive_average_gap(subject):
    views = [("train", "forget"), ("train", "retain"), ("test", "retain")]
    return {
        f"average_gap.accuracy.{part}.{side}": share_right(subject.views[part, side])
        - share_right(subject.reference[part, side])
        for part, side in views
    }


def naive_interclass_confusion(subject):
    if subject.forget_classes:
        return {}
    pair = sorted({label for _, label in each(subject.views["train", "forget"])})
    found = {}
    for part in ("audit", "test"):
        mine, theirs = (
            confusion(views[part, "retain"], pair) for views in (subject.views, subject.reference)
        )
        found[f"interclass_confusion.{part}.retain"] = mine
        found[f"interclass_confusion.gap.{part}.retain"] = mine - theirs
    found["interclass_confusion.recalled.train.forget"] = share_right(subject.views["train", "forget"])
    return found


def confusion(said, pair):
    rows = [(max(range(len(p)), key=p.__getitem__), label) for p, label in each(said) if label in pair]
    return sum(called in pair and called != label for called, label in rows) / len(rows)


def naive_relearn(subject):
    goal = subject.relearning.original - 0.05
    arrived = {}
    for name, curve in (("", subject.relearning.model), ("retrained.", subject.relearning.reference)):
        arrived[name] = min(
            step for step, accuracy in zip(curve.steps, curve.accuracy, strict=True) if accuracy >= goal
        )
    ratio = arrived[""] / arrived["retrained."]
    return {
        "relearn.steps": arrived[""],
        "relearn.retrained.steps": arrived["retrained."],
        "relearn.ratio": ratio,
        # The first looks at 0.49 or more, half of the original's 0.98.
        **({"relearn.new_head.steps": 2, "relearn.new_head.ratio": 2 / 4} if subject.forget_classes else {}),
    }


NAIVE = {
    "accuracy": naive_accuracy,
    "confidence": naive_confidence,
    "membership": naive_membership,
    "canary": naive_canary,
    "probe": naive_probe,
    "recovery": naive_recovery,
    "divergence": naive_divergence,
    "activation": naive_activation,
    "neighbour_leakage": naive_neighbour_leakage,
    "zrf": naive_zrf,
    # What they draw cannot be said without the code that draws; their own tests have nothing to draw.
    "svc_salun": lambda _: {},
    "svc_efficacy": lambda _: {},
    "average_gap": naive_average_gap,
    "interclass_confusion": naive_interclass_confusion,
    "relearn": naive_relearn,
    "weight_distance": lambda _: {"weight_distance.whole": 0.5, "weight_distance.floor.layer.body.0": 1.1},
    "ulira": known_models.naive_ulira,
    "epsilon": known_models.naive_epsilon,
    "klom": known_models.naive_klom,
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
