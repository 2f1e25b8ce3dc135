"""What frozen layers give, run once and kept, so that an epoch costs only what the trained layers cost.

A net is cut at a *boundary*: a frozen module after which everything that the trained layers need can be
computed from that module's output alone. Kept outputs are then handed to the net in place of images.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_map_only
from torch.utils.hooks import RemovableHandle

from unlearn_core.modes import mode

MOST_CANDIDATES = 16
"""How many modules are tried as a boundary, the last one first."""


@dataclass(frozen=True)
class Boundary:
    """Where a net can be cut.

    Attributes:
        before: Names of the modules that need not run any more, in the order of their calls.
        outputs: What each gave for the batch that was tried; of the last one the output is kept.
        inputs: The batch that was tried.
    """

    before: tuple[str, ...]
    outputs: tuple[Any, ...]
    inputs: Tensor

    @property
    def name(self) -> str:
        """The module whose outputs are kept."""
        return self.before[-1]


def find_boundary(model: nn.Module, inputs: Tensor) -> Boundary | None:
    """Find the last module at which a net can be cut, by trying.

    A module is a candidate if it ran once and ended before the first trained layer began. It is taken if,
    with everything before it replaced by zeros, all trained layers are given the same inputs and the net
    gives the same output: so a connection that skips it is noticed, even where fresh weights are zeros.

    Args:
        model: The net; trained are the parameters that have gradients. Left as it was.
        inputs: ``[samples, ...]``, a small batch.

    Returns:
        The boundary; None if there is none, or if all layers are trained.
    """
    with mode(model, "eval"), torch.no_grad():
        calls, expected = _calls_before_training(model, inputs), _seen_by_trained(model, inputs)
        for last in range(len(calls), max(0, len(calls) - MOST_CANDIDATES), -1):
            names, outputs = zip(*calls[:last], strict=True)
            found = Boundary(names, outputs, inputs)
            if not isinstance(outputs[-1], Tensor) or len(outputs[-1]) != len(inputs):
                continue
            # A net that looks at what it is given may not take zeros; another boundary may do.
            with suppress(RuntimeError, ValueError, IndexError), cut_at(model, found):
                if _alike(_seen_by_trained(model, outputs[-1]), expected):
                    return found
    return None


@contextmanager
def cut_at(model: nn.Module, boundary: Boundary) -> Iterator[None]:
    """Let a net take kept outputs of a boundary in place of its inputs; afterwards it is as before.

    Args:
        model: The net.
        boundary: Where it is cut.

    Yields:
        Nothing; meanwhile ``model(kept)`` is what ``model(inputs)`` was.
    """
    given: list[Tensor] = []

    def take(_model: nn.Module, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
        given[:] = [arguments[0]]
        return (_zeros(boundary.inputs, len(arguments[0])),)

    hook = model.register_forward_pre_hook(take)
    modules = [model.get_submodule(name) for name in boundary.before]
    try:
        for module, output in zip(modules[:-1], boundary.outputs, strict=False):
            module.forward = _giving(output, given)
        modules[-1].forward = lambda *_arguments, **_named: given[0]
        yield
    finally:
        hook.remove()
        for module in modules:
            vars(module).pop("forward", None)


def outputs_at(model: nn.Module, boundary: Boundary, batches: Iterable[Tensor]) -> Tensor:
    """Run a net up to a boundary, and return what comes out there.

    Args:
        model: The net, evaluated in eval mode.
        boundary: Where to stop listening.
        batches: The inputs, ``[samples, ...]`` each.

    Returns:
        ``[samples, ...]`` of all batches, on their device.
    """
    kept: list[Tensor] = []
    hook = model.get_submodule(boundary.name).register_forward_hook(
        lambda _module, _arguments, output: kept.append(cast("Tensor", output))
    )
    with _removed([hook]), mode(model, "eval"), torch.no_grad():
        for inputs in batches:
            model(inputs)
    return torch.cat(kept)


def bytes_per_sample(boundary: Boundary) -> int:
    """Return how many bytes a sample's kept output takes."""
    output = boundary.outputs[-1]
    return output[0].numel() * output.element_size()


def _trained(model: nn.Module) -> dict[str, nn.Module]:
    """Return the modules with trained parameters of their own, by name."""
    return {
        name: module
        for name, module in model.named_modules()
        if any(parameter.requires_grad for parameter in module.parameters(recurse=False))
    }


def _calls_before_training(model: nn.Module, inputs: Tensor) -> list[tuple[str, Any]]:
    """Return which modules ended before a trained one began, with their outputs, in that order.

    Of modules inside one another only the outermost is returned, and none that ran more than once.
    """
    ended: list[tuple[str, Any]] = []
    began: list[str] = []

    def end(name: str) -> Callable[..., None]:
        return lambda _module, _arguments, output: None if began else ended.append((name, output))

    hooks = [
        module.register_forward_pre_hook(lambda *_: began.append("a trained module"))
        for module in _trained(model).values()
    ]
    hooks += [module.register_forward_hook(end(name)) for name, module in model.named_modules() if name]
    with _removed(hooks):
        model(inputs)
    names = [name for name, _ in ended]
    return [
        (name, output)
        for name, output in ended
        if names.count(name) == 1 and not any(name.startswith(f"{other}.") for other in names)
    ]


def _seen_by_trained(model: nn.Module, inputs: Tensor) -> list[Tensor]:
    """Return what every trained module is given, and what comes out of the net."""
    seen: list[Tensor] = []

    def look(_module: nn.Module, arguments: tuple[Any, ...]) -> None:
        seen.extend(one for one in arguments if isinstance(one, Tensor))

    with _removed([module.register_forward_pre_hook(look) for module in _trained(model).values()]):
        output = model(inputs)
    return [*seen, output]


def _alike(mine: list[Tensor], theirs: list[Tensor]) -> bool:
    """Tell whether tensors are the same, but for the last digits."""
    return len(mine) == len(theirs) and all(
        first.shape == second.shape and torch.allclose(first, second, rtol=1e-5, atol=1e-6)
        for first, second in zip(mine, theirs, strict=True)
    )


@contextmanager
def _removed(hooks: list[RemovableHandle]) -> Iterator[None]:
    """Take hooks off at the end."""
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def _giving(output: Any, given: list[Tensor]) -> Callable[..., Any]:
    """Return a forward pass that gives zeros of the same shapes as an output, for the samples at hand."""
    return lambda *_arguments, **_named: tree_map_only(
        Tensor, lambda tensor: _zeros(tensor, len(given[0])), output
    )


def _zeros(like: Tensor, count: int) -> Tensor:
    """Return zeros for so many samples, which take no memory."""
    return like.new_zeros(()).expand(count, *like.shape[1:])
