"""What a metric is: its settings plus one verb, from observations to measurements.

A model is run once over every view of the data; metrics see only what came out. Sides and parts:
``forget`` and ``retain`` of ``train``, ``audit`` and ``test``. In class scope a held-out forget view
holds the held-out samples of the forgotten classes. In sample scope there is none, and *unseen* data
are the audit samples of the classes that the forgotten samples carry.
"""

from dataclasses import dataclass
from typing import ClassVar, Literal

from torch import Tensor

from unlearn_core.records.base import Record
from unlearn_core.records.evaluation import Measurement

Part = Literal["train", "audit", "test"]
Side = Literal["forget", "retain"]


@dataclass(frozen=True)
class Outputs:
    """What a model says of one view, on the CPU.

    Attributes:
        logits: ``[samples, classes]``, float32.
        features: ``[samples, d]``, the input of the last linear layer, float32.
        labels: ``[samples]``, int64.
    """

    logits: Tensor
    features: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True)
class Subject:
    """One model under evaluation.

    Attributes:
        classes: How many classes the model tells apart.
        forget_classes: The forgotten classes' indices; empty in sample scope.
        views: What the model says of each view; a view that does not exist has no key.
        reference: The same views through a retrained model, if there is one.
    """

    classes: int
    forget_classes: tuple[int, ...]
    views: dict[tuple[Part, Side], Outputs]
    reference: dict[tuple[Part, Side], Outputs] | None = None


class Metric(Record):
    """A metric: settings as fields, and ``measure``."""

    name: str
    summary: ClassVar[str]

    def measure(self, subject: Subject, *, seed: int) -> tuple[Measurement, ...]:
        """Measure one model.

        Args:
            subject: The model's outputs, and the reference's.
            seed: For metrics that shuffle, fit or resample.

        Returns:
            The measurements; a metric that needs a reference and has none returns an empty tuple.

        Raises:
            UsageError: If a view that the metric needs is empty or absent.
        """
        raise NotImplementedError
