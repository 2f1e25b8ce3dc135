"""Padded tokens that a module is told of and the linear layers within it are not.

torch's encoder and decoder layers hand a padding mask to their attention alone. While one that was called
with such a mask runs, the linear layers within it leave the same tokens out of their rows. A mask that a
model builds for itself is not known, and inputs whose shape differs from the mask's (pooled ones, say) count
in full.
"""

import inspect
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from torch import Tensor, nn

from unlearn_core.layer import Layer

MASKS = ("src_key_padding_mask", "tgt_key_padding_mask")
"""The argument names of a module's token masks; a module that takes both works on neither sequence alone."""


@contextmanager
def padding_told(model: nn.Module, layers: Sequence[Layer]) -> Iterator[None]:
    """Tell layers which of their tokens are padding, while an enclosing module knows.

    Args:
        model: The model; its modules may be called within.
        layers: Its layers.
    """
    with ExitStack() as hooks:
        for module in model.modules():
            signature = inspect.signature(module.forward)
            named = [name for name in MASKS if name in signature.parameters]
            within = set(module.modules())
            inside = [layer for layer in layers if layer.module in within]
            if len(named) == 1 and inside:
                before, after = _hooks(module, signature, named[0], inside)
                for handle in (
                    module.register_forward_pre_hook(before, with_kwargs=True),
                    module.register_forward_hook(after, always_call=True),
                ):
                    hooks.callback(handle.remove)
        yield


def _hooks(
    module: nn.Module, signature: inspect.Signature, name: str, inside: Sequence[Layer]
) -> tuple[Callable[..., None], Callable[..., None]]:
    """Return the hooks that set a call's mask on layers, and remove it again."""
    found: list[list[Tensor | None]] = []
    batch_first = all(
        part.batch_first for part in module.modules() if isinstance(part, nn.MultiheadAttention)
    )

    def before(_module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        mask = signature.bind(*args, **kwargs).arguments.get(name)
        found.append([layer.padded for layer in inside])
        for layer in inside:
            layer.padded = mask if mask is None or batch_first else mask.T

    def after(*_: Any) -> None:
        for layer, padded in zip(inside, found.pop(), strict=True):
            layer.padded = padded

    return before, after
