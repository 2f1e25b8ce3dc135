"""How far the predictions are from the retrained model's."""

from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import rel_entr

from unlearn_core import intervals
from unlearn_core.errors import UsageError
from unlearn_core.metric import Metric, Outputs, Subject
from unlearn_core.records.evaluation import Measurement


class Divergence(Metric):
    """Mean Jensen–Shannon divergence (base 2) between the model's and the retrained model's predictions.

    Measures ``js.{part}.{side}`` of every view: 0 where both predict the same distribution for every sample,
    1 where no two of them overlap, with Student's t intervals. Two models retrained with different
    seeds differ as well: compare with the floor between them. Without a reference nothing is measured.
    """

    name: Literal["divergence"] = "divergence"
    summary: ClassVar[str] = "Jensen–Shannon divergence from the retrained model's predictions"

    def measure(self, subject: Subject, *, seed: int) -> tuple[Measurement, ...]:  # noqa: ARG002
        """Measure one model.

        Args:
            subject: The model's outputs, and the reference's on the same samples in the same order.
            seed: Not used: nothing here is random.

        Returns:
            The measurements; none without a reference.

        Raises:
            UsageError: If a view is empty, or the reference did not see the same samples.
        """
        if not subject.views:
            raise UsageError(
                "there is no view to compare predictions on; observe both models on at least one"
            )
        retrained = subject.retrained()
        if retrained is None:
            return ()
        theirs = dict(retrained.each_view())
        found: list[Measurement] = []
        for view, outputs in subject.each_view():
            distances = _jensen_shannon(outputs, _same_samples(view, outputs, theirs.get(view)))
            found.append(intervals.mean(distances, lowest=0.0, highest=1.0).named(f"js.{view}"))
        return tuple(found)


def _same_samples(view: str, mine: Outputs, theirs: Outputs | None) -> Outputs:
    """Return the reference's outputs if they are of the same samples, as far as labels can tell."""
    if theirs is None or not np.array_equal(mine.labels.numpy(), theirs.labels.numpy()):
        raise UsageError(
            f"the reference was not observed on the samples of {view}; observe it on the same view"
        )
    return theirs


def _jensen_shannon(mine: Outputs, theirs: Outputs) -> NDArray[np.float64]:
    """Return the divergence in bits for every sample, ``[samples]``."""
    ours, others = np.exp(mine.log_probabilities()), np.exp(theirs.log_probabilities())
    middle = (ours + others) / 2
    nats = (rel_entr(ours, middle) + rel_entr(others, middle)).sum(1) / 2
    # Rounding may leave a hair under nought or over one bit.
    return np.clip(nats / np.log(2), 0.0, 1.0)
