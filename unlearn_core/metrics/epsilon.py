"""Forgetting quality: how well the best threshold tells unlearned from retrained models, sample by sample."""

from collections.abc import Iterator, Mapping
from math import log
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from unlearn_core import intervals
from unlearn_core.metric import Metric, Observation, Subject
from unlearn_core.observations import Margins
from unlearn_core.records.evaluation import Measurement
from unlearn_core.records.words import Words


class Epsilon(Metric):
    """Forgetting quality ε of the NeurIPS 2023 unlearning challenge (Triantafillou et al., arXiv 2406.09073).

    For every forgotten sample, attacks tell the margins of N unlearned from those of M retrained models by
    one threshold or by two, either way round. With the false-positive and false-negative rates of an attack,
    ``ε = max(log((1 − δ − fpr) / fnr), log((1 − δ − fnr) / fpr))``; an attack with exactly one rate at 0 is
    left out, and both at 0 are perfect. The best attack counts. ``bins`` bins of width ``bin_width`` turn ε
    into a quality ``2 / 2^n`` for the n-th bin, 1 where no attack works; ε beyond the last bin's edge counts
    as that edge.

    Measures ``epsilon.quality.train.forget``, in (0, 1], **the higher, the more alike**;
    ``epsilon.mean.train.forget``; ``epsilon.unlearned_models`` and ``epsilon.retrained_models``, N and M; and
    with a reference ``epsilon.score``, the quality times the ratios of retain and test accuracy, unlearned
    over retrained.

    Traps: it depends on N. Few models inflate ε, since the margins of two or three can be told apart by
    luck; and at any N the best of so many attacks finds something: for two equal kinds of 16 to 128 models, ε
    is about 2 and the quality about 0.1. So compare with retrained against retrained at the same N (the
    challenge took 512). The score hides what it is made of.
    """

    name: Literal["epsilon"] = "epsilon"
    delta: float = Field(default=1e-5, ge=0, lt=1)
    bins: int = Field(default=13, ge=1)
    bin_width: float = Field(default=0.5, gt=0)
    summary: ClassVar[str] = "forgetting quality: can a threshold tell unlearned from retrained models?"
    needs: ClassVar[frozenset[Observation]] = frozenset({"ensembles"})
    uses: ClassVar[frozenset[Observation]] = frozenset({"views", "reference"})
    neutral: ClassVar[str] = "that of retrained against retrained models at the same N"
    above: ClassVar[str] = "ε: under- or over-forgotten"
    below: ClassVar[str] = "quality: under- or over-forgotten"
    words: ClassVar[Mapping[str, Words]] = {
        "epsilon": Words(
            label="Forgetting quality",
            explanation="Whether several unlearned models can be told from several retrained ones.",
        ),
        "epsilon.unlearned_models": Words(
            label="Forgetting quality, unlearned models",
            explanation="The more, the better known.",
            unit="count",
        ),
        "epsilon.retrained_models": Words(
            label="Forgetting quality, retrained models",
            explanation="The more, the better known.",
            unit="count",
        ),
    }

    def measure(self, subject: Subject, *, seed: int) -> tuple[Measurement, ...]:  # noqa: ARG002
        """Measure one model.

        Args:
            subject: The margins of both kinds of model on ``train.forget``; for the score also the outputs of
                the model and of the reference.
            seed: Not used: nothing here is random.

        Returns:
            The measurements; none without margins of the forgotten data.
        """
        if subject.ensembles is None or ("train", "forget") not in subject.ensembles.unlearned:
            return ()
        unlearned = subject.ensembles.unlearned["train", "forget"]
        retrained = subject.ensembles.retrained["train", "forget"]
        epsilons = self._epsilons(unlearned, retrained)
        # The bin's index counts from 1, hence 2 / 2^(index + 1).
        qualities = 0.5 ** np.minimum(np.floor(epsilons / self.bin_width), self.bins - 1)
        quality = intervals.mean(qualities, lowest=0.0, highest=1.0)
        return (
            quality.named("epsilon.quality.train.forget"),
            intervals.mean(epsilons, lowest=0.0, highest=self._highest).named("epsilon.mean.train.forget"),
            Measurement(name="epsilon.unlearned_models", value=float(len(unlearned))),
            Measurement(name="epsilon.retrained_models", value=float(len(retrained))),
            *_score(subject, quality),
        )

    @property
    def _highest(self) -> float:
        return self.bins * self.bin_width

    def _epsilons(self, unlearned: Margins, retrained: Margins) -> NDArray[np.float64]:
        """Return the ε of every sample, ``[samples]``."""
        pairs = zip(unlearned.T, retrained.T, strict=True)
        found = np.array([best_epsilon(*pair, delta=self.delta) for pair in pairs])
        return np.minimum(found, self._highest)


def best_epsilon(unlearned: NDArray[np.float64], retrained: NDArray[np.float64], *, delta: float) -> float:
    """Return the ε of the best attack by one or two thresholds on one sample.

    Args:
        unlearned: ``[N]`` margins; calling one of them retrained is a false negative.
        retrained: ``[M]`` margins; calling one of them unlearned is a false positive.
        delta: The δ of the definition.

    Returns:
        ε, at least 0; infinite where an attack is perfect.
    """
    edges = np.unique(np.concatenate([unlearned, retrained]))
    below = [
        np.concatenate([[0], np.searchsorted(np.sort(values), edges, "right")]) / len(values)
        for values in (unlearned, retrained)
    ]
    first, last = np.triu_indices(len(edges) + 1, 1)
    hits, alarms = (share[last] - share[first] for share in below)
    # What lies between two thresholds is called unlearned, or what lies outside them.
    false_positive = np.concatenate([alarms, 1 - alarms])
    false_negative = np.concatenate([1 - hits, hits])
    return max(0.0, float(_epsilon(false_positive, false_negative, delta).max()))


def _epsilon(
    false_positive: NDArray[np.float64], false_negative: NDArray[np.float64], delta: float
) -> NDArray[np.float64]:
    """Return the ε of every attack; minus infinity where the definition has none."""
    found = np.full(len(false_positive), -np.inf)
    # Shares are multiples of 1 / N; rounding must not turn a zero into something else.
    none_missed, none_wrong = false_negative < 1e-12, false_positive < 1e-12
    found[none_missed & none_wrong] = np.inf
    usable = ~none_missed & ~none_wrong
    for one, other in ((false_positive, false_negative), (false_negative, false_positive)):
        room = 1 - delta - one
        rows = usable & (room > 0)
        found[rows] = np.maximum(found[rows], np.log(room[rows] / other[rows]))
    return found


def _score(subject: Subject, quality: intervals.Estimate) -> Iterator[Measurement]:
    """Yield the quality times what is left of the utility, if both models' views exist."""
    if subject.reference is None or not subject.views:
        return
    ratio = 0.0
    for part in ("train", "test"):
        mine, theirs = (said.correct().mean() for said in subject.pair(part, "retain"))
        if theirs == 0:
            return
        ratio += log(mine / theirs) if mine > 0 else -np.inf
    yield Measurement(
        name="epsilon.score", value=quality.value * float(np.exp(ratio)), samples=quality.samples
    )
