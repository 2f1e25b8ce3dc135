"""How well scores tell members from others: arrays in, numbers out, no models.

**Sign convention: the HIGHER the score, the MORE LIKELY A MEMBER, and members are the positive class.**
An attack that reads low losses as membership passes ``-loss``. An AUC of 0.5 says that the scores tell
nothing; above it members score higher, below it lower.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import root_scalar
from scipy.stats import norm
from sklearn import metrics

from unlearn_core.errors import UsageError
from unlearn_core.intervals import CONFIDENCE, Estimate, average, proportion

_Scores = NDArray[np.floating]

NEGATIVES_FOR_LOW_FPR = 1000
"""Below this many negatives, one per cent of them is fewer than ten samples, and the rate means nothing."""


@dataclass(frozen=True)
class RocCurve:
    """A ROC curve from (0, 0) to (1, 1), one point per distinct score.

    Attributes:
        false_positive_rate: ``[points]``, ascending.
        true_positive_rate: ``[points]``, ascending.
        thresholds: ``[points]``, descending from infinity; a score at or above it is called a member.
    """

    false_positive_rate: NDArray[np.float64]
    true_positive_rate: NDArray[np.float64]
    thresholds: NDArray[np.float64]


def roc_curve(members: _Scores, others: _Scores) -> RocCurve:
    """Return the ROC curve of scores, higher meaning more likely a member.

    Args:
        members: ``[members]``, scores of the positive class.
        others: ``[others]``, scores of the negative class.

    Returns:
        The curve.
    """
    _refuse_unusable(members, others)
    is_member = np.arange(len(members) + len(others)) < len(members)
    scores = np.concatenate([members, others])
    return RocCurve(*metrics.roc_curve(is_member, scores, drop_intermediate=False))


def auc(members: _Scores, others: _Scores) -> float:
    """Return the probability that a member outscores another, ties counting half (Mann–Whitney).

    Counted by bisection, so that resampling can ask for it thousands of times.

    Args:
        members: ``[members]``, scores of the positive class.
        others: ``[others]``, scores of the negative class.

    Returns:
        A number in [0, 1]; 0.5 if the scores tell nothing.
    """
    _refuse_unusable(members, others)
    ranked = np.sort(others)
    beaten = np.searchsorted(ranked, members, "left") + np.searchsorted(ranked, members, "right")
    return float(beaten.mean() / (2 * len(others)))


def auc_estimate(value: float, members: int, others: int) -> Estimate:
    """Put a 95 % score interval around an AUC.

    Newcombe's method 5 (Statistics in Medicine 25(4), 2006, part 2): Hanley and McNeil's variance with the
    mean sample size, taken at the bound instead of at the estimate. It needs no resampling, stays inside
    [0, 1] and has a width at 0 and 1 too.

    Args:
        value: The AUC, or a mean of AUCs over folds of the same samples.
        members: How many members it rests on.
        others: How many others.

    Returns:
        The AUC with its interval.
    """
    deviate = float(norm.ppf((1 + CONFIDENCE) / 2))

    def excess(bound: float) -> float:
        return abs(value - bound) - deviate * _standard_error(bound, members, others)

    middle = min(max(value, 1e-12), 1 - 1e-12)
    low = 0.0 if value <= 0 else _root(excess, 0.0, middle)
    high = 1.0 if value >= 1 else _root(excess, middle, 1.0)
    return Estimate(value, min(low, value), max(high, value), min(members, others))


def tpr_at_fpr(curve: RocCurve, false_positive_rate: float) -> float:
    """Return the highest true-positive rate whose false-positive rate is at most the given one.

    Nothing is interpolated: only points that a threshold reaches count.

    Args:
        curve: The curve.
        false_positive_rate: The false-positive rate that is allowed.

    Returns:
        The true-positive rate.
    """
    return float(curve.true_positive_rate[curve.false_positive_rate <= false_positive_rate].max())


def balanced_accuracy(members_right: float, members: int, others_right: float, others: int) -> Estimate:
    """Return the mean of the shares of members and of others that an attack called right.

    Args:
        members_right: How many members were called members; a fraction where repetitions were averaged.
        members: How many members there are.
        others_right: How many others were called others.
        others: How many others there are.

    Returns:
        The balanced accuracy, 0.5 if the attack tells nothing.
    """
    return average(proportion(members_right, members), proportion(others_right, others))


def _standard_error(value: float, members: int, others: int) -> float:
    """Return the standard error of an AUC (Newcombe 2006, from Hanley and McNeil 1982)."""
    half = (members + others) / 2 - 1
    spread = 1 + half * (1 - value) / (2 - value) + half * value / (1 + value)
    return float(np.sqrt(value * (1 - value) * spread / (members * others)))


def _root(function: Callable[[float], float], left: float, right: float) -> float:
    """Return where a function crosses zero between two points."""
    return float(root_scalar(function, bracket=(left, right), method="brentq").root)


def _refuse_unusable(members: _Scores, others: _Scores) -> None:
    """Refuse scores if a kind is missing, or one is not finite."""
    for name, scores in (("members", members), ("others", others)):
        if len(scores) == 0:
            raise UsageError(f"there are no scores of {name}; an ROC curve needs at least one of each kind")
        if not np.isfinite(scores).all():
            raise UsageError(f"scores of {name} are not finite; clip them before passing them")
