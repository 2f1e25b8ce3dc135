"""How far the predictions are from the retrained model's, as points."""

from collections.abc import Mapping
from math import sqrt
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

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

    Traps: without the floor it means nothing; it has no sign; and where both models are nearly certain it
    counts disagreements and little else.
    """

    name: Literal["activation"] = "activation"
    summary: ClassVar[str] = "L2 distance of the softmax outputs from the retrained model's"
    needs: ClassVar[frozenset[Observation]] = frozenset({"views", "reference"})
    uses: ClassVar[frozenset[Observation]] = frozenset({"floor"})
    neutral: ClassVar[str] = "the floor"
    above: ClassVar[str] = "under- or over-forgotten"
    below: ClassVar[str] = "nothing: closer than two retrained models are"
    words: ClassVar[Mapping[str, Words]] = {
        "activation": Words(
            label="Distance between the answers",
            explanation="Another distance from the retrained model’s answers: 0 is the same.",
        ),
    }

    def measure(self, subject: Subject, *, seed: int) -> tuple[Measurement, ...]:  # noqa: ARG002
        """Measure one model.

        Args:
            subject: The model's outputs, and the reference's on the same samples in the same order.
            seed: Not used: nothing here is random.

        Returns:
            The measurements; none without a reference. A view that is empty, or on which the reference did
            not see the same samples, raises ``UsageError``.
        """
        return distances(subject, "activation", _apart, highest=sqrt(2))


def _apart(mine: Outputs, theirs: Outputs) -> NDArray[np.float64]:
    return euclidean(mine.probabilities(), theirs.probabilities())
