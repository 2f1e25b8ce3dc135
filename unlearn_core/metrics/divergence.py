"""How far the predictions are from the retrained model's, in bits."""

from collections.abc import Mapping
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from unlearn_core.differences import jensen_shannon
from unlearn_core.floors import distances
from unlearn_core.metric import Metric, Observation, Subject
from unlearn_core.observations import Outputs
from unlearn_core.records.evaluation import Measurement
from unlearn_core.records.words import Words


class Divergence(Metric):
    """Mean Jensen–Shannon divergence (base 2) between the model's and the retrained model's predictions.

    Measures ``js.{part}.{side}`` of every view: 0 where both predict the same distribution for every sample,
    1 where no two of them overlap, with Student's t intervals. With a second retrained model also
    ``js.floor.{part}.{side}``, the same between the two retrained ones.

    Traps: without the floor a divergence means nothing, since two models retrained with different seeds
    differ as well; and it has no sign: it does not tell too little forgetting from too much.
    """

    name: Literal["divergence"] = "divergence"
    summary: ClassVar[str] = "Jensen–Shannon divergence from the retrained model's predictions"
    needs: ClassVar[frozenset[Observation]] = frozenset({"views", "reference"})
    uses: ClassVar[frozenset[Observation]] = frozenset({"floor"})
    neutral: ClassVar[str] = "the floor"
    above: ClassVar[str] = "under- or over-forgotten"
    below: ClassVar[str] = "nothing: closer than two retrained models are"
    words: ClassVar[Mapping[str, Words]] = {
        "js": Words(
            label="Distance from the retrained model",
            explanation="How far the predictions are from the retrained model’s: 0 is the same, 1 is "
            "nothing in common.",
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
        return distances(subject, "js", _bits, highest=1.0)


def _bits(mine: Outputs, theirs: Outputs) -> NDArray[np.float64]:
    return jensen_shannon(mine.probabilities(), theirs.probabilities())
