"""How far the predictions are from the retrained model's, as points."""

from collections.abc import Mapping
from math import sqrt
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from unlearn_core import intervals
from unlearn_core.differences import euclidean
from unlearn_core.floors import distances
from unlearn_core.metric import Metric, Observation, Subject
from unlearn_core.observations import Outputs
from unlearn_core.records.evaluation import Measurement
from unlearn_core.records.words import Words


class Activation(Metric):
    """Activation distance: mean L2 distance between the model's and the retrained model's softmax outputs.

    Golatkar et al. (arXiv 2012.13431) compare activations of the last layer in this way, and papers on
    unlearning report it under this name. Measures ``activation.{part}.{side}`` of every view, from 0 to √2,
    with Student's t intervals; with a second retrained model also ``activation.floor.{part}.{side}``, the
    same between the two retrained ones.

    With the original it also measures ``activation.unchanged``: the share of forgotten training images whose
    last features, the input of the head, equal the original's up to ``unchanged_within`` of their length. 1
    says that at most the head was changed: whatever the model answers, nothing was removed from it.

    Traps: without the floor it means nothing; it has no sign; and where both models are nearly certain it
    counts disagreements and little else. Features that were scaled or turned, with a head that undoes it,
    count as changed: 0 of ``activation.unchanged`` shows nothing.
    """

    name: Literal["activation"] = "activation"
    unchanged_within: float = Field(default=1e-4, ge=0)
    summary: ClassVar[str] = (
        "L2 distance of the softmax outputs from the retrained model's; features left as they were"
    )
    uses: ClassVar[frozenset[Observation]] = frozenset({"reference", "floor", "original"})
    neutral: ClassVar[str] = "the floor; unchanged: 0"
    above: ClassVar[str] = "under- or over-forgotten; unchanged: only the head was changed"
    below: ClassVar[str] = "nothing: closer than two retrained models are"
    words: ClassVar[Mapping[str, Words]] = {
        "activation": Words(
            label="Distance between the answers",
            explanation="Another distance from the retrained model’s answers: 0 is the same.",
        ),
        "activation.unchanged": Words(
            label="Left as it was inside",
            explanation="For how many of the forgotten images the model computes inside exactly what it did "
            "before. If that is many, only its answers were changed.",
            unit="fraction",
        ),
    }

    def measure(self, subject: Subject, *, seed: int) -> tuple[Measurement, ...]:  # noqa: ARG002
        """Measure one model.

        Args:
            subject: The model's outputs, and the reference's on the same samples in the same order.
            seed: Not used: nothing here is random.

        Returns:
            The measurements; none without a reference and without the original. A view that is empty, or on
            which these did not see the same samples, raises ``UsageError``.
        """
        found = distances(subject, "activation", _apart, highest=sqrt(2))
        if subject.original is None:
            return found
        before, after = subject.before_and_after("train", "forget")
        same = _unchanged(before, after, self.unchanged_within)
        return (*found, intervals.proportion(float(same.sum()), len(same)).named("activation.unchanged"))


def _apart(mine: Outputs, theirs: Outputs) -> NDArray[np.float64]:
    return euclidean(mine.probabilities(), theirs.probabilities())


def _unchanged(before: Outputs, after: Outputs, within: float) -> NDArray[np.bool_]:
    """Return for which samples the last features are the same; those of another net never are."""
    if after.features.shape != before.features.shape:
        return np.zeros(len(before), dtype=bool)
    moved = (after.features - before.features).double().norm(dim=1)
    return (moved <= within * before.features.double().norm(dim=1)).numpy()
