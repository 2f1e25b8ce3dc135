"""Which weights matter to which data, by the gradients of the loss: the diagonal Fisher, and saliency."""

from collections.abc import Iterator, Mapping
from math import ceil

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from unlearn_core.data import Samples
from unlearn_core.layers import all_trained
from unlearn_core.modes import mode
from unlearn_core.progress import OnStep, Step, ignore_step
from unlearn_core.records.result import Coverage, ParameterCoverage


def fisher_diagonal(
    model: nn.Module, samples: Samples, *, batch_size: int, on_step: OnStep = ignore_step
) -> dict[str, Tensor]:
    """Estimate the diagonal of the Fisher information by squared gradients, in eval mode.

    It is the mean over batches of the squared gradient of the batch's mean loss, so the batch size and what
    goes into a batch together are part of the estimate; a batch size of one gives the empirical Fisher.

    Args:
        model: The model, with gradients on; left as it was found.
        samples: The data, in the order in which it is batched.
        batch_size: Samples per gradient.
        on_step: Called after every batch.

    Returns:
        By parameter name, a tensor of the parameter's shape.
    """
    batches = ceil(len(samples) / batch_size)
    total = _zeros(model)
    for done, gradients in enumerate(
        batch_gradients(model, samples, batch_size=batch_size, reduction="mean"), 1
    ):
        for summed, gradient in zip(total, gradients, strict=True):
            summed.addcmul_(gradient, gradient, value=1 / batches)
        on_step(Step("importance", done, batches))
    return dict(zip(_names(model), total, strict=True))


def saliency(
    model: nn.Module, samples: Samples, *, batch_size: int, on_step: OnStep = ignore_step
) -> dict[str, Tensor]:
    """Return the magnitude of the mean loss's gradient, in eval mode.

    Args:
        model: The model, with gradients on; left as it was found.
        samples: The data that the mean is over.
        batch_size: Samples per pass; the result does not depend on it.
        on_step: Called after every batch.

    Returns:
        By parameter name, a tensor of the parameter's shape.
    """
    batches = ceil(len(samples) / batch_size)
    total = _zeros(model)
    for done, gradients in enumerate(
        batch_gradients(model, samples, batch_size=batch_size, reduction="sum"), 1
    ):
        for summed, gradient in zip(total, gradients, strict=True):
            summed.add_(gradient, alpha=1 / len(samples))
        on_step(Step("importance", done, batches))
    return {name: summed.abs() for name, summed in zip(_names(model), total, strict=True)}


def batch_gradients(
    model: nn.Module, samples: Samples, *, batch_size: int, reduction: str
) -> Iterator[tuple[Tensor, ...]]:
    """Yield the gradients of every batch's cross-entropy, in eval mode.

    Args:
        model: The model, with gradients on; left as it was found.
        samples: The data, in the order in which it is batched.
        batch_size: Samples per batch.
        reduction: ``"mean"`` or ``"sum"`` over the samples of a batch.

    Yields:
        A gradient for each parameter, in their order; zero for those that the loss does not use.
    """
    parameters = list(model.parameters())
    with mode(model, "eval"):
        for batch in samples.batches(batch_size):
            loss = F.cross_entropy(model(batch.inputs), batch.labels, reduction=reduction)
            yield torch.autograd.grad(loss, parameters, materialize_grads=True)


def highest(scores: Mapping[str, Tensor], share: float) -> dict[str, Tensor]:
    """Mark the weights with the highest scores, all parameters taken together.

    Args:
        scores: By parameter name.
        share: The share of all weights to mark, rounded down to a whole number of them.

    Returns:
        By parameter name, a mask of the parameter's shape; of equal scores, the first are marked.
    """
    joined = torch.cat([tensor.flatten() for tensor in scores.values()])
    order = joined.argsort(descending=True, stable=True)
    marked = torch.zeros_like(joined, dtype=torch.bool)
    marked[order[: int(share * len(joined))]] = True
    parts = marked.split([tensor.numel() for tensor in scores.values()])
    return {name: part.view_as(scores[name]) for name, part in zip(scores, parts, strict=True)}


def marked_coverage(model: nn.Module, marks: Mapping[str, Tensor]) -> Coverage:
    """Return the coverage of a method that edits only the marked weights of each parameter."""
    return Coverage(parameters=tuple(_marked(entry, marks) for entry in all_trained(model).parameters))


def _marked(entry: ParameterCoverage, marks: Mapping[str, Tensor]) -> ParameterCoverage:
    selected = int(marks[entry.parameter].sum())
    changes = {
        "treatment": "trained" if selected else "frozen",
        "frozen": entry.elements - selected if selected else 0,
        "reason": f"{selected} of its {entry.elements} weights were selected",
    }
    return ParameterCoverage(**{**dict(entry), **changes})


def _names(model: nn.Module) -> list[str]:
    return [name for name, _ in model.named_parameters()]


def _zeros(model: nn.Module) -> list[Tensor]:
    return [torch.zeros_like(parameter) for parameter in model.parameters()]
