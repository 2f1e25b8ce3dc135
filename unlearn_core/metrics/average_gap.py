"""The mean gap to the retrained model that papers rank methods by, and every gap that it is made of."""

from collections.abc import Mapping
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from unlearn_core import intervals
from unlearn_core.errors import UsageError
from unlearn_core.metric import Metric, Observation, Subject
from unlearn_core.observations import Side
from unlearn_core.records.evaluation import Measurement
from unlearn_core.records.words import Words
from unlearn_core.support_vectors import salun_efficacy


class AverageGap(Metric):
    """Mean |unlearned − retrained| over forget, retain and test accuracy and a membership attack.

    As in SalUn (Fan et al., arXiv 2310.12508, table 1) and the papers that compare with it; the attack is
    ``svc_salun`` with the same ``at_most``, and test accuracy is that of the retained classes. Measures
    ``average_gap.mean``, from 0 to 1, and the four *signed* gaps, unlearned minus retrained, with intervals:
    ``average_gap.accuracy.train.forget``, ``.train.retain`` and ``.test.retain``, and
    ``average_gap.non_members.train.forget``. The mean has no interval: those of its four parts depend on one
    another.

    Traps: the mean hides the sign: a model that forgot too little and one that forgot too much may share it.
    """

    name: Literal["average_gap"] = "average_gap"
    at_most: int = Field(default=1000, ge=2)
    summary: ClassVar[str] = (
        "mean gap to the retrained model in three accuracies and an attack, and each with its sign"
    )
    needs: ClassVar[frozenset[Observation]] = frozenset({"views", "reference"})
    neutral: ClassVar[str] = "0"
    above: ClassVar[str] = (
        "mean: either; gap on forgotten accuracy: under-forgotten; on non-members: over-forgotten"
    )
    below: ClassVar[str] = "gap on forgotten accuracy: over-forgotten; on non-members: under-forgotten"
    words: ClassVar[Mapping[str, Words]] = {
        "average_gap.mean": Words(
            label="Average gap",
            explanation="The mean distance from the retrained model in three accuracies and one attack: 0 "
            "is none.",
            unit="difference",
        ),
        "average_gap": Words(
            label="Gap to the retrained model",
            explanation="Above 0 is more, below 0 is less.",
            unit="difference",
        ),
    }

    def measure(self, subject: Subject, *, seed: int) -> tuple[Measurement, ...]:
        """Measure one model.

        Args:
            subject: The model's outputs, and the reference's.
            seed: For the attack.

        Returns:
            The measurements; none without a reference.

        Raises:
            UsageError: If there is no view, or a needed one is empty or absent.
        """
        if not subject.views:
            raise UsageError("there is no view to compare accuracies on; observe both models on every view")
        if (retrained := subject.retrained()) is None:
            return ()
        mine, theirs = (self._quantities(one, seed) for one in (subject, retrained))
        gaps = {name: intervals.difference(mine[name], theirs[name]) for name in mine}
        signed = [gap.named(f"average_gap.{name}") for name, gap in gaps.items()]
        mean = float(np.mean([abs(gap.value) for gap in gaps.values()]))
        samples = min(gap.samples for gap in gaps.values())
        return (Measurement(name="average_gap.mean", value=mean, samples=samples), *signed)

    def _quantities(self, subject: Subject, seed: int) -> dict[str, intervals.Estimate]:
        """Return the compared quantities of one model, by name."""
        sides: tuple[Side, Side] = ("forget", "retain")
        found = {f"accuracy.train.{side}": subject.view("train", side) for side in sides}
        found["accuracy.test.retain"] = subject.view("test", "retain")
        forgotten, _unseen = salun_efficacy(subject, at_most=self.at_most, seed=seed)
        accuracies = {
            name: intervals.proportion(float(said.correct().sum()), len(said))
            for name, said in found.items()
            if not subject.says_nothing(said)
        }
        return {**accuracies, "non_members.train.forget": forgotten}
