"""What is observed of models before anything is measured: outputs, curves, distances, margins of many models.

Metrics receive these and never a model. Whatever makes them may train, load or compare; nothing here does.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from unlearn_core.errors import UsageError
from unlearn_core.records.base import Record

Part = Literal["train", "audit", "test", "canary", "altered"]
Side = Literal["forget", "retain"]
View = tuple[Part, Side]
HELD_OUT: tuple[View, ...] = (("audit", "forget"), ("test", "forget"))
"""In class scope, the held-out samples of the forgotten classes."""
NOTHING_UNSEEN = (
    "no audit sample has the class of a forgotten sample: there is nothing unseen to compare with"
)
Margins = NDArray[np.float64]


def no_sample(part: Part, side: Side) -> str:
    """Say in plain words what it means that a view of held-out samples does not exist."""
    if side == "retain":
        return f"the {part} split has no sample of what is kept"
    return f"not every forgotten class has a sample in the {part} split"


@dataclass(frozen=True)
class Outputs:
    """A model's outputs on one view, on the CPU.

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

    def joined(self, other: "Outputs") -> "Outputs":
        """Return these outputs and those on other samples, one after the other."""
        return Outputs(
            torch.cat([self.logits, other.logits]),
            torch.cat([self.features, other.features]),
            torch.cat([self.labels, other.labels]),
        )

    def correct(self) -> NDArray[np.bool_]:
        """Return whether the largest logit is the label's, ``[samples]``."""
        return (self.logits.argmax(1) == self.labels).numpy()

    def log_probabilities(self) -> NDArray[np.float64]:
        """Return the log-softmax of the logits, ``[samples, classes]``."""
        return torch.log_softmax(self.logits.double(), 1).numpy()

    def probabilities(self) -> NDArray[np.float64]:
        """Return the softmax of the logits, ``[samples, classes]``."""
        return np.exp(self.log_probabilities())

    def losses(self) -> NDArray[np.float64]:
        """Return the cross-entropy of every sample in nats, ``[samples]``."""
        return -self.log_probabilities()[np.arange(len(self)), self.labels.numpy()]

    def confidences(self) -> NDArray[np.float64]:
        """Return the probability of every sample's label, ``[samples]``."""
        return np.exp(-self.losses())

    def margins(self) -> Margins:
        """Return ``φ = log p_y − log Σ_{k≠y} p_k`` of every sample's label, ``[samples]``, in nats."""
        logits, own = self.logits.double(), self.labels[:, None]
        others = logits.scatter(1, own, -torch.inf).logsumexp(1)
        return (logits.gather(1, own).squeeze(1) - others).numpy()


KNOWN_AGAIN = 0.5
"""With a new head, data counts as known again at this share of the original's accuracy on held-out samples.

A model that kept its features is half-way there in a third of the steps that a retrained one takes. Close
to the original's accuracy both slow down, and a retrained one may never arrive.
"""


class RelearnCurve(Record):
    """How well a copy of a model knew the forgotten data while it relearned them.

    Attributes:
        steps: ``[points]``, how many optimiser steps had been taken; ascending from 0.
        accuracy: ``[points]``, on the samples that it was taught; with a new head, on held-out ones.
        limit: The most steps that it would have been taught.
        samples: How many samples the accuracy was measured on.
    """

    steps: tuple[int, ...]
    accuracy: tuple[float, ...]
    limit: int
    samples: int

    def arrival(self, accuracy: float) -> int | None:
        """Return after how many steps an accuracy was first seen, or None if it never was."""
        seen = zip(self.steps, self.accuracy, strict=True)
        return next((step for step, reached in seen if reached >= accuracy), None)


@dataclass(frozen=True)
class Relearning:
    """The curves of a model and of a retrained one, on the same samples and in the same batches.

    Attributes:
        model: The curve of the model under evaluation.
        original: The accuracy of the model before unlearning, on these samples.
        reference: The curve of a retrained model, if there is one.
    """

    model: RelearnCurve
    original: float
    reference: RelearnCurve | None = None


@dataclass(frozen=True)
class InnerFeatures:
    """A net's outputs at several inner points, averaged over positions, on the CPU; see ``depths``.

    Attributes:
        fitted: ``[samples, channels]`` at each point, of samples that a probe is fitted on.
        judged: The same of the samples that it is judged on.
        fitted_labels: ``[samples]``, int64.
        judged_labels: ``[samples]``, int64.
    """

    fitted: tuple[Tensor, ...]
    judged: tuple[Tensor, ...]
    fitted_labels: Tensor
    judged_labels: Tensor


@dataclass(frozen=True)
class Depths:
    """What a model and a retrained one compute on the way, at the same points for the same samples.

    Attributes:
        model: Of the model under evaluation.
        reference: Of a retrained model, if there is one.
    """

    model: InnerFeatures
    reference: InnerFeatures | None = None


@dataclass(frozen=True)
class WeightDistances:
    """Relative distances of a model's parameters from another's, ``|W − W'| / |W'|``.

    Attributes:
        whole: Over all parameters.
        layers: By layer name, for those that hold a matrix or a kernel.
        floor: The other model's distances from a second one of its kind, if there is one.
    """

    whole: float
    layers: dict[str, float]
    floor: "WeightDistances | None" = None


@dataclass(frozen=True)
class Shadows:
    """Margins of shadow models on samples, some of which the target was trained on (see ``Outputs.margins``).

    Attributes:
        inside: ``[T, samples]``, of shadows that were trained on the sample and then unlearned it.
        outside: ``[T, samples]``, of shadows that never saw it.
        target: ``[samples]``, of the unlearned model under attack.
        member: ``[samples]``, whether the target was trained on the sample and unlearned it. Where that is
            true of all, held-out shadows that never saw them stand in for samples that it did not see.
    """

    inside: Margins
    outside: Margins
    target: Margins
    member: NDArray[np.bool_]

    def __post_init__(self) -> None:
        shapes = {self.inside.shape, self.outside.shape, (len(self.inside), len(self.target))}
        if len(shapes) > 1 or len(self.member) != len(self.target):
            raise UsageError(
                f"shadows inside {self.inside.shape}, outside {self.outside.shape}, target "
                f"{self.target.shape} and member {self.member.shape} do not fit; expected [T, samples] twice "
                "and [samples] twice"
            )
        if not self.member.any():
            raise UsageError("shadows need samples that the target was trained on; there are none")
        if not all(np.isfinite(margins).all() for margins in (self.inside, self.outside, self.target)):
            raise UsageError("a margin of a shadow or of the target is not finite; that model is unusable")


@dataclass(frozen=True)
class Ensembles:
    """Margins of several unlearned and several retrained models on the same samples, by view.

    Attributes:
        unlearned: ``[N, samples]`` of each view; the models differ in their seed.
        retrained: ``[M, samples]`` of each view.
    """

    unlearned: dict[View, Margins]
    retrained: dict[View, Margins]

    def __post_init__(self) -> None:
        for view, margins in self.unlearned.items():
            if view not in self.retrained or self.retrained[view].shape[1] != margins.shape[1]:
                raise UsageError(
                    f"the retrained models were not observed on the samples of {'.'.join(view)}; "
                    "observe both kinds of model on the same views"
                )
            for kind in (margins, self.retrained[view]):
                if not kind.size or not np.isfinite(kind).all():
                    raise UsageError(
                        f"margins on {'.'.join(view)} are {kind.shape}; expected finite ones of at least one "
                        "model of each kind on at least one sample"
                    )
