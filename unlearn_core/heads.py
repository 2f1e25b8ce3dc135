"""The head of a net: the linear layer that gives its output, with one row for each class."""

from typing import Any

import torch
from torch import Tensor, nn

from unlearn_core.data import Samples
from unlearn_core.modes import mode
from unlearn_core.tracing import attached


def linear_head(model: nn.Module, inputs: Tensor) -> nn.Linear | None:
    """Find the linear layer whose output is the net's output, wherever it was registered.

    Args:
        model: The net, run in eval mode and left in its own modes.
        inputs: ``[samples, ...]``; a handful.

    Returns:
        The layer; None if no linear layer gives the output.
    """
    calls: list[tuple[Any, Any]] = []
    hooks = (
        layer.register_forward_hook(lambda module, _inputs, output: calls.append((module, output)))
        for layer in model.modules()
        if isinstance(layer, nn.Linear)
    )
    with attached(hooks), mode(model, "eval"), torch.no_grad():
        given = model(inputs)
    heads = [layer for layer, output in calls if torch.equal(output, given)]
    return heads[-1] if heads else None


def features(model: nn.Module, head: nn.Linear, samples: Samples, *, batch_size: int) -> Tensor:
    """Return what a head is given for each sample, in eval mode.

    Args:
        model: The net, left in its own modes.
        head: Its head.
        samples: What to run.
        batch_size: Samples per forward pass.

    Returns:
        ``[samples, d]``.
    """
    found: list[Tensor] = []
    hook = head.register_forward_pre_hook(lambda _module, inputs: found.append(inputs[0]))
    with attached([hook]), mode(model, "eval"), torch.no_grad():
        for batch in samples.batches(batch_size):
            model(batch.inputs)
    return torch.cat(found)
