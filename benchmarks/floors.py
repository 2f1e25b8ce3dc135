"""The arithmetic that cannot be avoided: operations and bytes of passes, moments and projections."""

from math import prod
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks import textbook
from unlearn_core.data import Samples
from unlearn_core.pixel_pairs import Axis, cells


def floors_of(net: nn.Module, sample: Samples) -> dict[str, float]:
    """Return the cost of one sample.

    Args:
        net: A net of linear layers and convolutions of one group, padded with zeros.
        sample: A single sample.

    Returns:
        Floating-point operations of the forward pass, of the second moments as textbooks sum them and of
        the fewest products that give them; and the bytes of weights, moments and a sample's activations.
    """
    found = dict.fromkeys(
        (
            "forward_flops",
            "textbook_flops",
            "moment_flops",
            "weight_bytes",
            "moment_bytes",
            "activation_bytes",
        ),
        0.0,
    )

    def see(module: nn.Module, args: tuple[Tensor, ...]) -> None:
        positions, d_in = textbook.rows_of(module, args[0]).shape
        found["forward_flops"] += 2 * positions * module.weight.numel()  # pyright: ignore
        found["textbook_flops"] += 2 * positions * d_in**2
        found["moment_flops"] += min(positions * d_in**2, _pair_flops(module, args[0]))
        found["weight_bytes"] += 4 * module.weight.numel()  # pyright: ignore
        found["moment_bytes"] += 8 * d_in**2
        found["activation_bytes"] += 4 * args[0].numel()

    handles = [module.register_forward_pre_hook(see) for module in textbook.layers_of(net).values()]
    with torch.no_grad():
        net(sample.inputs)
    for handle in handles:
        handle.remove()
    return found


def _pair_flops(module: nn.Module, inputs: Tensor) -> float:
    """Return the operations of all products of pairs of pixels that a convolution's moment needs."""
    if not isinstance(module, nn.Conv2d):
        return float("inf")
    conv: Any = module
    axes = tuple(
        Axis(
            size,
            conv.kernel_size[at],
            conv.stride[at],
            conv.dilation[at],
            (conv.padding[at],) * 2,
            "constant",
        )
        for at, size in enumerate(inputs.shape[2:])
    )
    pairs = sum(prod(len(lot.pairs) for lot in cell) for cell in cells(axes))
    return 2.0 * pairs * conv.in_channels**2
