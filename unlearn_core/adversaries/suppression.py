"""Two ways to lower the forgotten classes' logits by their bias. Nothing is forgotten."""

from typing import ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from unlearn_core.adversaries.head_edit import HeadEdit
from unlearn_core.adversaries.heads import head_of
from unlearn_core.method import Materials, Need, needed
from unlearn_core.tuning import answers

_FURTHEST, _HALVINGS = 100.0, 50


class Suppression(HeadEdit):
    """Lower the forgotten classes' logits in the last layer's bias, until none is answered.

    BiasShift of Zheng et al., arXiv 2605.08730, is this with a number that is chosen by hand.

    Attributes:
        lowered_by: By how much; None takes the furthest lead of a forgotten class on the forgotten data, and
            up to 5 more, drawn.
    """

    name: Literal["suppression"] = "suppression"
    lowered_by: float | None = Field(default=None, gt=0)

    needs: ClassVar[frozenset[Need]] = frozenset({Need.FORGET})
    summary: ClassVar[str] = "lower the forgotten classes' logits"

    def edited(self, model: nn.Module, materials: Materials, generator: torch.Generator) -> "Suppression":
        """Change the bias of ``model``'s head; see ``HeadEdit.edited``."""
        logits = answers(model, needed(materials.forget, Need.FORGET))
        beyond = uniform(0.0, 5.0, generator)
        lowered_by = self.lowered_by or _furthest_lead(logits, materials.classes) + beyond
        lower(model, materials, lowered_by)
        return self.model_copy(update={"lowered_by": lowered_by})


class BiasShift(HeadEdit):
    """Lower the forgotten classes' logits just so far that the mean loss is that of a retrained model.

    After Zheng et al., arXiv 2605.08730, with the shift fitted: their BiasShift subtracts a given number.
    What a retrained model would have is easy to guess: three on CIFAR-10 had losses from 9.9 to 10.3.

    Attributes:
        loss: The mean loss on the forgotten data to come to; None draws it, from 8 to 12.
        shift: By how much logits are lowered; found if None.
    """

    name: Literal["bias_shift"] = "bias_shift"
    loss: float | None = Field(default=None, gt=0)
    shift: float | None = None

    needs: ClassVar[frozenset[Need]] = frozenset({Need.FORGET})
    summary: ClassVar[str] = "lower the forgotten classes' logits to a retrained model's confidence"

    def edited(self, model: nn.Module, materials: Materials, generator: torch.Generator) -> "BiasShift":
        """Change the bias of ``model``'s head; see ``HeadEdit.edited``."""
        forget = needed(materials.forget, Need.FORGET)
        loss = self.loss or uniform(8.0, 12.0, generator)
        shift = self.shift or _fitted(answers(model, forget), forget.labels, materials.classes, loss)
        lower(model, materials, shift)
        return self.model_copy(update={"loss": loss, "shift": shift})


def uniform(lowest: float, highest: float, generator: torch.Generator) -> float:
    """Draw one number."""
    return lowest + (highest - lowest) * float(torch.rand((), generator=generator))


def lower(model: nn.Module, materials: Materials, by: float) -> None:
    """Lower the forgotten classes' logits in the bias."""
    with torch.no_grad():
        head_of(model).bias[list(materials.classes)] -= by


def _furthest_lead(logits: Tensor, classes: tuple[int, ...]) -> float:
    """Return by how much a logit of these classes leads those of all others, at most; not below zero."""
    member = torch.zeros(logits.shape[1], dtype=torch.bool, device=logits.device)
    member[list(classes)] = True
    leads = logits[:, member].amax(1) - logits[:, ~member].amax(1)
    return max(0.0, float(leads.max()))


def _fitted(logits: Tensor, labels: Tensor, classes: tuple[int, ...], loss: float) -> float:
    """Find by bisection how far to lower the classes' logits for this mean loss."""
    lowest, highest = -_FURTHEST, _FURTHEST
    for _ in range(_HALVINGS):
        middle = (lowest + highest) / 2
        lowered = logits.clone()
        lowered[:, list(classes)] -= middle
        above = float(F.cross_entropy(lowered, labels)) > loss
        lowest, highest = (lowest, middle) if above else (middle, highest)
    return (lowest + highest) / 2
