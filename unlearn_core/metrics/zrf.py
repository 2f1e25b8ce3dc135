"""Zero retrain forgetting: how much the model speaks like one that knows nothing."""

from collections.abc import Mapping
from typing import ClassVar, Literal

import numpy as np

from unlearn_core import intervals
from unlearn_core.differences import jensen_shannon
from unlearn_core.errors import UsageError
from unlearn_core.metric import Metric, Observation, Subject
from unlearn_core.observations import Outputs
from unlearn_core.records.evaluation import Measurement
from unlearn_core.records.words import Words


class Zrf(Metric):
    """One minus the mean Jensen–Shannon divergence (base 2) from an untrained net, on the forgotten data.

    Chundawat et al., "Can Bad Teaching Induce Forgetting?" (arXiv 2205.08096). Measures
    ``zrf.train.forget``, 1 for a model that predicts what the untrained net predicts and 0 for one that never
    overlaps with it, with Student's t interval; and with a reference ``zrf.gap.train.forget``, minus the
    retrained model's.

    Traps: an untrained net is not a retrained one. A retrained model is sure of what it says about data that
    it never saw, so its ZRF is *not* 1, and a ZRF near 1 is forgetting too much: read the gap.
    """

    name: Literal["zrf"] = "zrf"
    summary: ClassVar[str] = "likeness to an untrained net on the forgotten data"
    needs: ClassVar[frozenset[Observation]] = frozenset({"views", "untrained"})
    uses: ClassVar[frozenset[Observation]] = frozenset({"reference"})
    neutral: ClassVar[str] = "the retrained model's; a gap of 0"
    above: ClassVar[str] = "over-forgotten"
    below: ClassVar[str] = "under-forgotten"
    words: ClassVar[Mapping[str, Words]] = {
        "zrf.gap": Words(
            label="Likeness to an ignorant model, beyond the retrained model’s",
            explanation="0 is just as much as the retrained model.",
        ),
        "zrf": Words(
            label="Likeness to an ignorant model",
            explanation="1 is just like a model that knows nothing.",
        ),
    }

    def measure(self, subject: Subject, *, seed: int) -> tuple[Measurement, ...]:  # noqa: ARG002
        """Measure one model.

        Args:
            subject: The model's outputs, and the untrained net's and the reference's on the same samples.
            seed: Not used: nothing here is random.

        Returns:
            The measurements; none without an untrained net.

        Raises:
            UsageError: If ``train.forget`` is empty or absent, or another model did not see its samples.
        """
        forgotten = subject.view("train", "forget")
        if (untrained := subject.untrained) is None:
            return ()
        if not np.array_equal(forgotten.labels.numpy(), untrained.labels.numpy()):
            raise UsageError(
                "the untrained net was not observed on the samples of train.forget; observe it there"
            )
        mine = _likeness(forgotten, untrained)
        found = [intervals.mean(mine, lowest=0.0, highest=1.0).named("zrf.train.forget")]
        if subject.reference is not None:
            theirs = _likeness(subject.pair("train", "forget")[1], untrained)
            gap = intervals.mean(mine - theirs, lowest=-1.0, highest=1.0)
            found.append(gap.named("zrf.gap.train.forget"))
        return tuple(found)


def _likeness(said: Outputs, untrained: Outputs) -> np.ndarray:
    """Return ``1 − JS`` of every sample, ``[samples]``."""
    return 1 - jensen_shannon(said.probabilities(), untrained.probabilities())
