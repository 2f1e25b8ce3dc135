"""The forgotten classes' rows of the head mixed into the others: no training, and exactly invertible."""

from typing import ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from unlearn_core.adversaries.head_edit import HeadEdit
from unlearn_core.adversaries.heads import head_of
from unlearn_core.method import Materials, Need


class Mixing(HeadEdit):
    """Add multiples of each forgotten class's row of the head to the other rows, and lower its bias.

    Forgotten images then look like other classes, each to its own degree, as they do to a retrained model.
    The forgotten row itself stays, so subtracting the same multiples gives the original back: ``unmix``.

    Attributes:
        form: ``shares``: the multiples are positive, drawn evenly among all that sum to ``size``; ``signs``:
            they are ``size``, with signs drawn at random.
        size: See ``form``.
        lowered_by: By how much the forgotten classes' biases are lowered.
        multiples: For each forgotten class, those of the other classes in order; drawn if None.
    """

    name: Literal["mixing"] = "mixing"
    form: Literal["shares", "signs"] = "shares"
    size: float = Field(default=3.0, gt=0)
    lowered_by: float = Field(default=12.0, ge=0)
    multiples: tuple[tuple[float, ...], ...] | None = None

    needs: ClassVar[frozenset[Need]] = frozenset()
    summary: ClassVar[str] = "mix the forgotten classes' rows of the head into the others"
    touches: ClassVar[str] = "the last layer"

    def edited(self, model: nn.Module, materials: Materials, generator: torch.Generator) -> "Mixing":
        """Change ``model``'s head; see ``HeadEdit.edited``."""
        count = len(head_of(model).others(materials.classes))
        drawn = self.multiples or tuple(self._draw(count, generator) for _ in materials.classes)
        resolved = self.model_copy(update={"multiples": drawn})
        _mix(model, resolved, materials.classes, sign=1)
        return resolved

    def _draw(self, count: int, generator: torch.Generator) -> tuple[float, ...]:
        if self.form == "signs":
            values = torch.randint(2, (count,), generator=generator) * 2.0 - 1.0
        else:  # exponentials, scaled to sum to one, are spread evenly over all such shares
            lengths = -torch.log1p(-torch.rand(count, generator=generator))
            values = lengths / lengths.sum()
        return tuple((self.size * values).tolist())


def unmix(model: nn.Module, mixing: Mixing, classes: tuple[int, ...]) -> None:
    """Undo a mixing, in place.

    Args:
        model: A model that it made.
        mixing: The method as ``apply`` returned it.
        classes: The forgotten classes.
    """
    _mix(model, mixing, classes, sign=-1)


def _mix(model: nn.Module, mixing: Mixing, classes: tuple[int, ...], *, sign: int) -> None:
    """Add the multiples and lower the biases, or undo it."""
    head = head_of(model)
    with torch.no_grad():
        multiples = sign * torch.tensor(mixing.multiples, dtype=head.weight.dtype, device=head.weight.device)
        added: Tensor = multiples.T @ head.weight[list(classes)]
        head.weight[head.others(classes)] += added
        head.bias[list(classes)] -= sign * mixing.lowered_by
