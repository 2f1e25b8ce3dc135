"""How far the true class is ahead of the others."""

from collections.abc import Mapping
from typing import ClassVar, Literal

import torch

from unlearn_core import intervals
from unlearn_core.metric import Metric, Subject
from unlearn_core.records.evaluation import Measurement
from unlearn_core.records.words import Words


class Margin(Metric):
    """Mean distance between the true class's logit and the highest of the others, cut off at ±``limit``.

    Measures ``margin.{part}.{side}`` of every view there is, with Student's t intervals. Below 0 the model is
    wrong about most samples.

    Traps: logits have no scale of their own, so compare it with a retrained model's and with nothing else.
    """

    name: Literal["margin"] = "margin"
    limit: float = 30.0
    summary: ClassVar[str] = "how far the true class's logit is ahead of the others"
    neutral: ClassVar[str] = "the retrained model's"
    above: ClassVar[str] = "forgotten data: under-forgotten"
    below: ClassVar[str] = "forgotten data: over-forgotten"
    words: ClassVar[Mapping[str, Words]] = {
        "margin": Words(
            label="Lead of the right answer",
            explanation="How far the model prefers the right class to the next best: below 0 it is wrong.",
        )
    }

    def measure(self, subject: Subject, *, seed: int) -> tuple[Measurement, ...]:
        """Measure every view; see ``Metric.measure``."""
        if not subject.views:
            subject.view("train", "retain")
        return tuple(self._of(name, outputs) for name, outputs in subject.each_view())

    def _of(self, name: str, outputs) -> Measurement:
        true = outputs.logits.gather(1, outputs.labels[:, None])[:, 0]
        others = outputs.logits.scatter(1, outputs.labels[:, None], -torch.inf).amax(1)
        leads = (true - others).clamp(-self.limit, self.limit).double().numpy()
        return intervals.mean(leads, lowest=-self.limit, highest=self.limit).named(f"margin.{name}")
