"""KLoM: how differently unlearned and retrained models spread their margins."""

from collections.abc import Iterator, Mapping
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from unlearn_core import intervals
from unlearn_core.metric import Metric, Observation, Subject
from unlearn_core.observations import Margins
from unlearn_core.records.evaluation import Measurement
from unlearn_core.records.words import Words


class Klom(Metric):
    """KL(unlearned ‖ retrained) of margins, sample by sample (Georgiev et al., arXiv 2410.23232).

    The margins ``φ = log p_y − log Σ_{k≠y} p_k`` of N unlearned and of M retrained models, clipped to
    ±``clip``, are counted in ``bins`` equal bins between the smallest and the largest of *both*; a bin that
    no retrained model reached has probability ``least``.

    Measures, in nats, ``klom.mean.{part}.{side}`` with Student's t interval and ``klom.p95.{part}.{side}``,
    the 95th percentile over samples, of every view; ``klom.unlearned_models`` and ``klom.retrained_models``,
    N and M; ``klom.lowest_edge`` and ``klom.highest_edge``, the range of all bins; and ``klom.bias``, about
    what two equal kinds of models would measure: ``(bins − 1) / 2 · (1 / N + 1 / M)``.

    Traps: the direction matters; at small N the bias and ``least`` decide (one model in an empty bin
    is worth ``log(1 / (N · least)) / N``), so compare with retrained against retrained at the same N and M.
    """

    name: Literal["klom"] = "klom"
    bins: int = Field(default=20, ge=2)
    clip: float = Field(default=100.0, gt=0)
    least: float = Field(default=1e-5, gt=0, lt=1)
    summary: ClassVar[str] = "KL divergence of the margins of several unlearned from several retrained models"
    needs: ClassVar[frozenset[Observation]] = frozenset({"ensembles"})
    neutral: ClassVar[str] = "that of retrained against retrained models, about the bias"
    above: ClassVar[str] = "under- or over-forgotten"
    below: ClassVar[str] = "nothing: closer than retrained models are"
    words: ClassVar[Mapping[str, Words]] = {
        "klom": Words(
            label="Distance between groups of models",
            explanation="How far unlearned models lie from retrained ones.",
        ),
        "klom.unlearned_models": Words(
            label="Distance between groups, unlearned models",
            explanation="The more, the better known.",
            unit="count",
        ),
        "klom.retrained_models": Words(
            label="Distance between groups, retrained models",
            explanation="The more, the better known.",
            unit="count",
        ),
    }

    def measure(self, subject: Subject, *, seed: int) -> tuple[Measurement, ...]:  # noqa: ARG002
        """Measure one model.

        Args:
            subject: The margins of both kinds of model, by view.
            seed: Not used: nothing here is random.

        Returns:
            The measurements; none without margins.
        """
        if subject.ensembles is None or not subject.ensembles.unlearned:
            return ()
        found: list[Measurement] = []
        edges: list[float] = []
        for (part, side), unlearned in sorted(subject.ensembles.unlearned.items()):
            margins = [
                np.clip(kind, -self.clip, self.clip)
                for kind in (unlearned, subject.ensembles.retrained[part, side])
            ]
            found += self._of_view(f"{part}.{side}", *margins)
            edges += [float(np.concatenate(margins).min()), float(np.concatenate(margins).max())]
        counts = [
            len(next(iter(kind.values())))
            for kind in (subject.ensembles.unlearned, subject.ensembles.retrained)
        ]
        return (*found, *self._stated(counts, edges))

    def _of_view(self, view: str, unlearned: Margins, retrained: Margins) -> Iterator[Measurement]:
        apart = divergences(unlearned, retrained, bins=self.bins, least=self.least)
        mean = intervals.mean(apart, lowest=-np.inf, highest=np.inf)
        yield mean.named(f"klom.mean.{view}")
        yield Measurement(name=f"klom.p95.{view}", value=float(np.quantile(apart, 0.95)), samples=len(apart))

    def _stated(self, counts: list[int], edges: list[float]) -> Iterator[Measurement]:
        bias = (self.bins - 1) / 2 * sum(1 / count for count in counts)
        stated = {
            "unlearned_models": counts[0],
            "retrained_models": counts[1],
            "lowest_edge": min(edges),
            "highest_edge": max(edges),
            "bias": bias,
        }
        for name, value in stated.items():
            yield Measurement(name=f"klom.{name}", value=float(value))


def divergences(unlearned: Margins, retrained: Margins, *, bins: int, least: float) -> NDArray[np.float64]:
    """Return KL(unlearned ‖ retrained) of every sample's histograms.

    Args:
        unlearned: ``[N, samples]``.
        retrained: ``[M, samples]``.
        bins: How many, between the smallest and the largest margin of both.
        least: The probability of a bin that no retrained model reached.

    Returns:
        ``[samples]``, in nats.
    """
    low = np.minimum(unlearned.min(0), retrained.min(0))
    width = np.maximum(unlearned.max(0), retrained.max(0)) - low
    mine, theirs = (_histograms(kind, low, width, bins) for kind in (unlearned, retrained))
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(mine > 0, mine * np.log(mine / np.maximum(theirs, least)), 0.0)
    return terms.sum(1)


def _histograms(
    margins: Margins, low: NDArray[np.float64], width: NDArray[np.float64], bins: int
) -> NDArray[np.float64]:
    """Return the share of models in every bin, ``[samples, bins]``; without a width all are in the first."""
    scaled = (margins - low) / np.where(width > 0, width, 1.0)
    rows = np.minimum((scaled * bins).astype(np.int64), bins - 1) + bins * np.arange(margins.shape[1])
    counts = np.bincount(rows.ravel(), minlength=bins * margins.shape[1])
    return counts.reshape(-1, bins) / len(margins)
