"""A model that passes each batch with the help of all ranks, and gives every rank the whole result.

Each rank is handed the whole batch, passes its own part, and gets all outputs. So a loss, an optimiser and
every random draw outside of the model are the same on every rank, and code that trains a model needs to know
nothing of ranks. Gradients pass the same two borders the other way: of the outputs a rank takes its own part,
and those of the weights are summed over the ranks (Shoeybi et al., "Megatron-LM", arXiv 1909.08053, section
3, there for parts of a layer). That sum is the gradient of the whole batch: one step for all ranks.
"""

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from unlearn_core.errors import ModelError, UnlearningError
from unlearn_core.ranks import agree, placed, share, total, world_size


@contextmanager
def data_parallel(model: nn.Module) -> Iterator[None]:
    """Split the batches that a model is trained on among the ranks, inside; copies of it do the same.

    Batch normalisation takes the statistics of the whole batch. A pass in eval mode and without gradients is
    not split: whoever makes it may share out whole batches, which keeps their bits (``ranks.own_part``).
    With one rank nothing is changed.

    Args:
        model: A classifier of ``[samples, ...]``; afterwards it is of its own class again.
    """
    if world_size() == 1:
        yield
        return
    norms = [module for module in model.modules() if isinstance(module, _BatchNorm)]
    kinds: list[tuple[Any, type]] = [(module, type(module)) for module in (*norms, model)]
    try:
        for norm in norms:
            norm.__class__ = _synchronised(type(norm))
        model.__class__ = _split(type(model))
        yield
    finally:
        for module, kind in kinds:
            module.__class__ = kind


def refuse_unlike(model: nn.Module, when: str, *, said: str = "", beside: Iterable[Tensor] = ()) -> None:
    """Refuse a model, or what comes with it, that is not the same on every rank.

    Args:
        model: Compared in every bit of its weights and statistics.
        when: ``before`` or ``after``, for the message.
        said: What else must be the same.
        beside: The same, as tensors.

    Raises:
        ModelError: If anything differs.
    """
    if world_size() == 1:
        return
    known = hashlib.sha256(said.encode())
    for tensor in (*model.state_dict().values(), *beside):
        known.update(tensor.cpu().flatten().view(torch.uint8).numpy().tobytes())
    if not agree(known.hexdigest()):
        raise ModelError(
            f"the ranks differ {when} unlearning: give all the same model, method, seed and data, and "
            "devices of one kind with the same number of threads"
        )


@cache
def _split(kind: type[nn.Module]) -> type[nn.Module]:
    """Return a model's class with batches split among the ranks."""

    def forward(self: nn.Module, inputs: Tensor) -> Tensor:
        if not (torch.is_grad_enabled() or _takes_statistics(self)):
            return kind.forward(self, inputs)
        before = _random_state(inputs.device)
        rows = share(len(inputs))
        moving = {name: weight for name, weight in self.named_parameters() if weight.requires_grad}
        inputs, *weights = _Entering.apply(inputs, *moving.values())
        entered = {f"model.{name}": weight for name, weight in zip(moving, weights, strict=True)}
        held = _Held(kind, self)
        outputs = torch.func.functional_call(held, entered, (inputs[rows.start : rows.stop],))
        if not torch.equal(before, _random_state(inputs.device)):
            raise UnlearningError(
                "the model draws random numbers as it trains (dropout, for instance), which several ranks "
                "would draw differently from one; use a single process"
            )
        return _Leaving.apply(outputs, rows, len(inputs))

    return type(f"DataParallel{kind.__name__}", (kind,), {"forward": forward})


class _Held(nn.Module):
    """A model's own pass, without its hooks, as ``functional_call`` wants it."""

    def __init__(self, kind: type[nn.Module], model: nn.Module) -> None:
        super().__init__()
        self._kind = kind
        self.model = model

    def forward(self, inputs: Tensor) -> Tensor:
        return self._kind.forward(self.model, inputs)


def _takes_statistics(model: nn.Module) -> bool:
    return any(module.training for module in model.modules() if isinstance(module, _BatchNorm))


def _random_state(device: torch.device) -> Tensor:
    own = torch.get_rng_state()
    return torch.cat([own, torch.cuda.get_rng_state(device)]) if device.type == "cuda" else own


class _Entering(torch.autograd.Function):
    """Hands tensors that all ranks have to this rank's part; the gradients of all parts are summed."""

    @staticmethod
    def forward(ctx: Any, *tensors: Tensor) -> tuple[Tensor, ...]:
        ctx.set_materialize_grads(False)
        return tuple(tensor.view_as(tensor) for tensor in tensors)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor | None) -> tuple[Tensor | None, ...]:  # noqa: ARG004
        sums = iter(total([gradient for gradient in gradients if gradient is not None]))
        return tuple(None if gradient is None else next(sums) for gradient in gradients)


class _Leaving(torch.autograd.Function):
    """Puts the parts of all ranks together; of the gradient each takes its own part."""

    @staticmethod
    def forward(ctx: Any, part: Tensor, rows: range, count: int) -> Tensor:
        ctx.rows = rows
        return placed(part, rows, count)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        (gradient,) = gradients
        return gradient[ctx.rows.start : ctx.rows.stop], None, None


class _Summing(torch.autograd.Function):
    """Sums what each rank has of its part; so are the gradients, which each has of its part alone."""

    @staticmethod
    def forward(ctx: Any, part: Tensor) -> Tensor:  # noqa: ARG004
        return total([part])[0]

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:  # noqa: ARG004
        return total(gradients)[0]


@cache
def _synchronised(kind: type[_BatchNorm]) -> type[_BatchNorm]:
    """Return a normalisation's class with the statistics of all ranks; torch's own does not run on CPUs."""

    def forward(self: _BatchNorm, inputs: Tensor) -> Tensor:
        if not (self.training or self.running_mean is None):
            return kind.forward(self, inputs)
        axes = [0, *range(2, inputs.ndim)]
        exact = inputs if inputs.dtype == torch.float64 else inputs.float()
        positions = exact.new_tensor([inputs[:, 0].numel()])
        sums = _Summing.apply(torch.cat([exact.sum(axes), positions]))
        count = sums[-1].detach()
        centred = exact - _along(sums[:-1] / count, inputs.ndim)
        variance = _Summing.apply(centred.square().sum(axes)) / count
        if self.training:
            _remember(self, sums[:-1].detach() / count, variance.detach(), count)
        normal = centred * _along((variance + self.eps).rsqrt(), inputs.ndim)
        if self.affine:
            normal = normal * _along(self.weight, inputs.ndim) + _along(self.bias, inputs.ndim)
        return normal.to(inputs.dtype)

    return type(f"Synchronised{kind.__name__}", (kind,), {"forward": forward})


def _remember(norm: _BatchNorm, mean: Tensor, variance: Tensor, count: Tensor) -> None:
    """Move running statistics towards a batch's, as torch does."""
    if norm.running_mean is None or norm.running_var is None or norm.num_batches_tracked is None:
        return
    norm.num_batches_tracked += 1
    weight = 1 / int(norm.num_batches_tracked) if norm.momentum is None else norm.momentum
    unbiased = variance * (count / (count - 1))
    norm.running_mean.lerp_(mean.to(norm.running_mean), weight)
    norm.running_var.lerp_(unbiased.to(norm.running_var), weight)


def _along(channels: Tensor, dimensions: int) -> Tensor:
    """Return ``[channels]`` as it meets ``[samples, channels, ...]``."""
    return channels.view(-1, *[1] * (dimensions - 2))
