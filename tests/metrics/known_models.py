"""The obvious loops for metrics that look at many models."""

import math
import statistics


def naive_ulira(subject):
    """Fit on the first six of eight shadows, with one variance for each kind, and count who beats whom."""
    seen = subject.shadows
    samples = range(len(seen.target))
    inside, outside = (
        [kind[:6, sample].tolist() for sample in samples] for kind in (seen.inside, seen.outside)
    )
    spread = [
        math.sqrt(statistics.fmean(statistics.variance(margins) for margins in kind))
        for kind in (inside, outside)
    ]

    def ratio(sample, margin):
        return log_density(margin, statistics.fmean(inside[sample]), spread[0]) - log_density(
            margin, statistics.fmean(outside[sample]), spread[1]
        )

    scores = [ratio(sample, seen.target[sample]) for sample in samples]
    members = [scores[sample] for sample in samples if seen.member[sample]]
    others = [scores[sample] for sample in samples if not seen.member[sample]]
    wins = sum((mine > other) + 0.5 * (mine == other) for mine in members for other in others)
    held_out = [
        (ratio(sample, kind[shadow, sample]), kind is seen.inside)
        for kind in (seen.inside, seen.outside)
        for shadow in (6, 7)
        for sample in samples
    ]
    best = max(sorted({score for score, _ in held_out}, reverse=True), key=lambda cut: right(held_out, cut))
    truth = [(score, True) for score in members] + [(score, False) for score in others]
    return {
        "ulira.auc": wins / (len(members) * len(others)),
        "ulira.balanced_accuracy": right(truth, best),
        "ulira.shadows": len(seen.inside),
    }


def right(scored, cut):
    """Return the balanced accuracy of calling everything from a threshold on a member."""
    return statistics.fmean(
        statistics.fmean((score >= cut) == member for score, member in scored if member == kind)
        for kind in (True, False)
    )


def log_density(value, mean, spread):
    return -(((value - mean) / spread) ** 2) / 2 - math.log(spread * math.sqrt(2 * math.pi))


def naive_epsilon(subject):
    unlearned, retrained = (
        kind["train", "forget"] for kind in (subject.ensembles.unlearned, subject.ensembles.retrained)
    )
    found = [
        min(best_epsilon(unlearned[:, sample].tolist(), retrained[:, sample].tolist()), 6.5)
        for sample in range(unlearned.shape[1])
    ]
    quality = [2 / 2 ** min(1 + int(epsilon // 0.5), 13) for epsilon in found]
    return {
        "epsilon.mean.train.forget": statistics.fmean(found),
        "epsilon.quality.train.forget": statistics.fmean(quality),
        "epsilon.unlearned_models": len(unlearned),
    }


def best_epsilon(unlearned, retrained, delta=1e-5):
    """Try every pair of thresholds, and calling what is between them unlearned or retrained."""
    cuts = [-math.inf, *sorted({*unlearned, *retrained})]
    best = 0.0
    for first in cuts:
        for last in cuts:
            wrong = sum(first < value <= last for value in retrained) / len(retrained)
            missed = sum(not first < value <= last for value in unlearned) / len(unlearned)
            best = max(best, epsilon_of(wrong, missed, delta))
            wrong = sum(not first < value <= last for value in retrained) / len(retrained)
            missed = sum(first < value <= last for value in unlearned) / len(unlearned)
            best = max(best, epsilon_of(wrong, missed, delta))
    return best


def epsilon_of(fpr, fnr, delta):
    if fpr == fnr == 0:
        return math.inf
    if fpr == 0 or fnr == 0:
        return -math.inf
    rooms = [(1 - delta - fpr, fnr), (1 - delta - fnr, fpr)]
    return max([math.log(room / rate) for room, rate in rooms if room > 0], default=-math.inf)


def naive_klom(subject):
    found = {}
    for (part, side), unlearned in subject.ensembles.unlearned.items():
        retrained = subject.ensembles.retrained[part, side]
        apart = [
            divergence(unlearned[:, sample].tolist(), retrained[:, sample].tolist())
            for sample in range(unlearned.shape[1])
        ]
        found[f"klom.mean.{part}.{side}"] = statistics.fmean(apart)
    return found


def divergence(unlearned, retrained):
    low, high = min(unlearned + retrained), max(unlearned + retrained)

    def share(margins, bin_):
        return sum(min(int((margin - low) / (high - low) * 20), 19) == bin_ for margin in margins) / len(
            margins
        )

    shares = [(share(unlearned, bin_), share(retrained, bin_)) for bin_ in range(20)]
    return sum(p * math.log(p / max(q, 1e-5)) for p, q in shares if p > 0)
