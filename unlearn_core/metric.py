"""What a metric is: its settings plus one verb, from observations to measurements.

A model is run once over every view of the data; metrics see only what came out. Sides and parts:
``forget`` and ``retain`` of ``train``, ``audit`` and ``test``. In class scope a held-out forget view
holds the held-out samples of the forgotten classes. In sample scope there is none, and *unseen* data
are the audit samples of the classes that the forgotten samples carry.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import ClassVar, Literal, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from unlearn_core.errors import UsageError
from unlearn_core.records.base import Record
from unlearn_core.records.evaluation import Measurement

Part = Literal["train", "audit", "test"]
Side = Literal["forget", "retain"]
View = tuple[Part, Side]


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

    def correct(self) -> NDArray[np.bool_]:
        """Return whether the largest logit is the label's, ``[samples]``."""
        return (self.logits.argmax(1) == self.labels).numpy()

    def log_probabilities(self) -> NDArray[np.float64]:
        """Return the log-softmax of the logits, ``[samples, classes]``."""
        return torch.log_softmax(self.logits.double(), 1).numpy()

    def losses(self) -> NDArray[np.float64]:
        """Return the cross-entropy of every sample in nats, ``[samples]``."""
        return -self.log_probabilities()[np.arange(len(self)), self.labels.numpy()]


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
    views: dict[View, Outputs]
    reference: dict[View, Outputs] | None = None

    def view(self, part: Part, side: Side) -> Outputs:
        """Return what the model says of one view.

        Raises:
            UsageError: If the view is absent or empty; the message names it.
        """
        outputs = self.views.get((part, side))
        if outputs is None or len(outputs) == 0:
            state = "absent" if outputs is None else "empty"
            raise UsageError(
                f"the view {part}.{side} is {state}; observe the model on at least one sample of it"
            )
        return outputs

    def unseen(self) -> Outputs:
        """Return what the model says of held-out audit samples of the forgotten samples' kind.

        Those of the forgotten classes in class scope, and all of them in sample scope.
        """
        return self.view("audit", "forget" if self.forget_classes else "retain")

    def each_view(self) -> Iterator[tuple[str, Outputs]]:
        """Yield the name (``train.forget``) and the outputs of every view there is, in a fixed order.

        Yields:
            The views; an empty one raises ``UsageError``.
        """
        for part in get_args(Part):
            for side in get_args(Side):
                if (part, side) in self.views:
                    yield f"{part}.{side}", self.view(part, side)

    def retrained(self) -> "Subject | None":
        """Return the reference as a subject of its own, or None without one."""
        return None if self.reference is None else replace(self, views=self.reference, reference=None)


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
