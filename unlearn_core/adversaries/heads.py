"""The last layer of a net, and the classes that its answers are nearest to."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from unlearn_core.distillation import tilted
from unlearn_core.errors import UnlearningError


@dataclass(frozen=True)
class Head:
    """A net's last linear layer, with one row and one bias for each class.

    Attributes:
        name: The module's name.
        weight: ``[classes, d]``, the net's own.
        bias: ``[classes]``, the net's own.
    """

    name: str
    weight: Tensor
    bias: Tensor

    def others(self, classes: tuple[int, ...]) -> list[int]:
        """Return the classes that are not among some."""
        return [index for index in range(len(self.bias)) if index not in classes]


def head_of(model: nn.Module) -> Head:
    """Find the last linear layer of a net.

    Args:
        model: The net.

    Returns:
        The layer.

    Raises:
        UnlearningError: If there is none, or it has no bias.
    """
    layers = [(name, module) for name, module in model.named_modules() if isinstance(module, nn.Linear)]
    if not layers:
        raise UnlearningError("this edits the last linear layer, and the net has none")
    name, layer = layers[-1]
    if layer.bias is None:
        raise UnlearningError(f"this edits the bias of the last linear layer, and {name} has none")
    return Head(name, layer.weight, layer.bias)


def neighbours(
    logits: Tensor, classes: tuple[int, ...], *, nearest: int, generator: torch.Generator
) -> Tensor:
    """Draw for each sample one of the classes that it resembles most, forgotten ones left out.

    Args:
        logits: ``[samples, classes]``, the original's.
        classes: The forgotten classes.
        nearest: Among how many to draw.
        generator: A CPU generator.

    Returns:
        ``[samples]``, int64.
    """
    kept = tilted(logits, classes)
    likely = kept.topk(min(nearest, kept.shape[1] - len(classes)), dim=1).indices
    place = torch.randint(likely.shape[1], (len(likely), 1), generator=generator).to(likely.device)
    return likely.gather(1, place).squeeze(1)
