"""Hooks: which modules of a net ran, and with what; its last linear layer, and all layers in order."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle


@dataclass(frozen=True)
class LinearCall:
    """A call of a linear layer.

    Attributes:
        module: The layer.
        input: What it was given, without gradients.
    """

    module: nn.Linear
    input: Tensor


@contextmanager
def attached(hooks: Iterable[RemovableHandle]) -> Iterator[None]:
    """Remove hooks at the end of a block, however it ends.

    Args:
        hooks: What registering them has returned.

    Yields:
        Nothing.
    """
    handles = list(hooks)
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


@contextmanager
def last_linear(model: nn.Module) -> Iterator[list[LinearCall]]:
    """Keep the call of the linear layer that ran last.

    Args:
        model: The net; its hooks are gone afterwards.

    Yields:
        A list with that call; empty as long as no linear layer ran.
    """
    ran: list[LinearCall] = []

    def keep(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        assert isinstance(module, nn.Linear)
        ran[:] = [LinearCall(module, (args[0] if args else kwargs["input"]).detach())]

    linears = [module for module in model.modules() if isinstance(module, nn.Linear)]
    with attached(linear.register_forward_pre_hook(keep, with_kwargs=True) for linear in linears):
        yield ran


@contextmanager
def first_outputs(model: nn.Module, names: list[str]) -> Iterator[dict[str, Any]]:
    """Keep the output of each named module's first call.

    Args:
        model: The net; its hooks are gone afterwards.
        names: The modules.

    Yields:
        The outputs by name, in the order in which the calls ended; clear it before the next batch.
    """
    seen: dict[str, Any] = {}

    def keep(name: str) -> Callable[..., None]:
        return lambda _module, _arguments, output: (seen.setdefault(name, output), None)[1]

    with attached(model.get_submodule(name).register_forward_hook(keep(name)) for name in names):
        yield seen
