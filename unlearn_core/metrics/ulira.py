"""U-LiRA: the likelihood-ratio attack on one unlearned model, with shadows of the whole pipeline."""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from scipy.stats import norm

from unlearn_core import roc
from unlearn_core.errors import UsageError
from unlearn_core.metric import Metric, Observation, Subject
from unlearn_core.observations import Margins
from unlearn_core.records.evaluation import Measurement
from unlearn_core.records.words import Words
from unlearn_core.resampling import Statistic, bootstrap

LEAST_SHADOWS, LEAST_SPREAD = 4, 1e-6
"""The fewest shadows of each kind to fit and hold out; and the least standard deviation, in nats."""


class ULira(Metric):
    """Was the sample unlearned, or never seen?

    U-LiRA, Hayes et al. (arXiv 2403.01218), after Carlini et al. (arXiv 2112.03570).

    Of T pairs of shadow models, one kind saw the sample and unlearned it, the other never saw it. The margins
    ``φ = log p_y − log Σ_{k≠y} p_k`` of each kind are modelled as a Gaussian per sample, whose variance all
    samples share if fewer than ``share_variance_below`` shadows were fitted. The score of a sample is the log
    likelihood ratio at the *target* model's margin: **the HIGHER, the MORE LIKELY seen and unlearned.** The
    last ``held_out`` of the shadows are not fitted: the threshold of the balanced accuracy is the best one on
    them, and if the target was trained on every sample, the target is compared with those of them that never
    saw the samples.

    Measures ``ulira.auc`` and ``ulira.balanced_accuracy``, with at least 1,000 samples that the target never
    saw also ``ulira.tpr_at_1pct_fpr``, all with intervals by bootstrap over samples; and ``ulira.shadows``,
    T.

    Traps: the target must not be a shadow, and the shadows must run the very same unlearning; with a T of 8
    to 16 it is a weaker attack than with a hundred or more, so it cannot clear a model: state T. The
    intervals are over samples of one target and say nothing about other targets.
    """

    name: Literal["ulira"] = "ulira"
    held_out: float = Field(default=0.25, gt=0, lt=1)
    share_variance_below: int = Field(default=64, ge=2)
    resamples: int = Field(default=1000, ge=100)
    summary: ClassVar[str] = "likelihood-ratio attack with shadow models that were unlearned themselves"
    needs: ClassVar[frozenset[Observation]] = frozenset({"shadows"})
    neutral: ClassVar[str] = "0.5, and 0.01 for the true-positive rate"
    above: ClassVar[str] = "told from never seen: under- or over-forgotten"
    below: ClassVar[str] = "nothing: noise"
    words: ClassVar[Mapping[str, Words]] = {
        "ulira": Words(
            label="Strong attack with shadow models",
            explanation="An attacker who trains and unlearns models of their own to compare with: 0.50 is "
            "guessing.",
        ),
        "ulira.shadows": Words(
            label="Strong attack, pairs of shadow models",
            explanation="The more, the stronger the attack.",
            unit="count",
        ),
    }

    def measure(self, subject: Subject, *, seed: int) -> tuple[Measurement, ...]:
        """Measure one model.

        Args:
            subject: The margins of the shadows and of the target.
            seed: For the bootstrap.

        Returns:
            The measurements; none without shadows.

        Raises:
            UsageError: If there are fewer than four shadows of each kind.
        """
        if (shadows := subject.shadows) is None:
            return ()
        if (count := len(shadows.inside)) < LEAST_SHADOWS:
            raise UsageError(f"got {count} shadows of each kind; U-LiRA needs at least {LEAST_SHADOWS}")
        kept = min(max(1, round(self.held_out * count)), count - 2)
        ratio = _Ratio(shadows.inside[:-kept], shadows.outside[:-kept], shared=self._shared(count - kept))
        unseen = ratio(shadows.outside[-kept:])
        threshold = _best_threshold(ratio(shadows.inside[-kept:]), unseen)
        scores = ratio(shadows.target)
        others = unseen.ravel() if shadows.member.all() else scores[~shadows.member]
        pairs = Measurement(name="ulira.shadows", value=float(count))
        return (*self._scored(scores[shadows.member], others, threshold, seed), pairs)

    def _shared(self, fitted: int) -> bool:
        return fitted < self.share_variance_below

    def _scored(
        self, members: NDArray[np.float64], others: NDArray[np.float64], threshold: float, seed: int
    ) -> Iterator[Measurement]:
        """Attack the target."""
        statistics: dict[str, Statistic] = {
            "auc": roc.auc,
            "balanced_accuracy": partial(_balanced_accuracy, threshold=threshold),
        }
        if len(others) >= roc.NEGATIVES_FOR_LOW_FPR:
            statistics["tpr_at_1pct_fpr"] = _tpr_at_1pct_fpr
        for name, statistic in statistics.items():
            estimate = bootstrap(statistic, members, others, resamples=self.resamples, seed=seed)
            yield estimate.named(f"ulira.{name}")


class _Ratio:
    """The log likelihood ratio of margins, by Gaussians per sample and kind."""

    def __init__(self, inside: Margins, outside: Margins, *, shared: bool) -> None:
        """Fit the Gaussians to ``[T, samples]`` margins of each kind."""
        self._inside, self._outside = (_gaussian(margins, shared) for margins in (inside, outside))

    def __call__(self, margins: Margins) -> NDArray[np.float64]:
        """Return the ratios of ``[..., samples]`` margins."""
        return norm.logpdf(margins, *self._inside) - norm.logpdf(margins, *self._outside)


def _gaussian(margins: Margins, shared: bool) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the mean and the standard deviation of every sample, ``[samples]`` or one for all."""
    variance = margins.var(0, ddof=1)
    spread = np.sqrt(variance.mean(keepdims=True) if shared else variance)
    return margins.mean(0), np.maximum(spread, LEAST_SPREAD)


def _best_threshold(inside: NDArray[np.float64], outside: NDArray[np.float64]) -> float:
    """Return the threshold with the best balanced accuracy on scores of both kinds."""
    curve = roc.roc_curve(inside.ravel(), outside.ravel())
    best = int(np.argmax(curve.true_positive_rate - curve.false_positive_rate))
    return float(curve.thresholds[best])


def _balanced_accuracy(members: NDArray[np.float64], others: NDArray[np.float64], threshold: float) -> float:
    return float(((members >= threshold).mean() + (others < threshold).mean()) / 2)


def _tpr_at_1pct_fpr(members: NDArray[np.float64], others: NDArray[np.float64]) -> float:
    return roc.tpr_at_fpr(roc.roc_curve(members, others), 0.01)
