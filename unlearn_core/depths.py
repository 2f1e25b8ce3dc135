"""What a net computes on the way: its outputs at three inner points, for probes that look below the head.

The points are found by trying, so any net has them: the layers that ran before the last linear one, in the
order of their calls, a quarter, half and three quarters of the way. An output is averaged over positions or
tokens, which leaves a number per channel: a probe of these is quick, and a map of a thousand positions would
tell any class from any other.
"""

from collections.abc import Mapping
from math import ceil
from typing import Any

import torch
from torch import Tensor, nn

from unlearn_core.convolutions import CONVOLUTIONS, TRANSPOSED
from unlearn_core.data import Samples, balanced, concatenate, drawn
from unlearn_core.modes import mode
from unlearn_core.observations import HELD_OUT, InnerFeatures, View
from unlearn_core.tracing import first_outputs, last_linear

SHARES = (0.25, 0.5, 0.75)
"""How far along the layers the points are."""
FITTED_PER_CLASS, MOST_JUDGED = 100, 2000
"""The most training samples of a class that a probe is fitted on, and the most that it is judged on."""
CHANNELS_FIRST = (*CONVOLUTIONS, *TRANSPOSED, nn.modules.batchnorm._NormBase, nn.GroupNorm)
CHANNELS_LAST = (nn.Linear, nn.LayerNorm, nn.RMSNorm)
TRIED = 3
"""How many samples the points are found with."""


def depth_samples(views: Mapping[View, Samples], *, seed: int) -> tuple[Samples, Samples]:
    """Draw what probes are fitted on and judged on.

    In class scope, where there are held-out samples of forgotten classes, they are fitted on all training
    data and judged on these; otherwise on retained training data and on the forgotten samples.

    Args:
        views: The samples of every view.
        seed: For the draw; the same for models that are compared.

    Returns:
        Samples to fit on and samples to judge on.
    """
    generator = torch.Generator().manual_seed(seed)
    held_out = [views[view] for view in HELD_OUT if view in views]
    shown, forgotten = views["train", "retain"], views["train", "forget"]
    if held_out:
        shown, forgotten = concatenate(shown, forgotten), concatenate(*held_out)
    fitted = balanced(shown, FITTED_PER_CLASS, generator=generator)
    return fitted, drawn(forgotten, MOST_JUDGED, generator=generator)


def look_inside(model: nn.Module, fitted: Samples, judged: Samples, *, batch_size: int) -> InnerFeatures:
    """Observe a net's inner features.

    Args:
        model: Evaluated in eval mode and left as it is; on the samples' device.
        fitted: What a probe is to be fitted on; at least one.
        judged: What it is to be judged on; at least one.
        batch_size: Samples per forward pass.

    Returns:
        The features at each point, on the CPU; at no point where nothing precedes the last linear layer.
    """
    names = inner_points(model, next(fitted.batches(TRIED)).inputs)
    return InnerFeatures(
        fitted=_features(model, names, fitted, batch_size),
        judged=_features(model, names, judged, batch_size),
        fitted_labels=fitted.labels.cpu(),
        judged_labels=judged.labels.cpu(),
    )


def inner_points(model: nn.Module, inputs: Tensor) -> tuple[str, ...]:
    """Name the modules after which a net is looked into.

    Args:
        model: The net.
        inputs: ``[samples, ...]``, a few.

    Returns:
        A module for each of ``SHARES``; the same one more than once where there are fewer than that, none
        where the net has no layer before its last linear one.
    """
    layers = [name for name, module in model.named_modules() if any(True for _ in module.parameters(False))]
    with (
        mode(model, "eval"),
        torch.no_grad(),
        last_linear(model) as ran,
        first_outputs(model, layers) as seen,
    ):
        model(inputs)
    ended = list(seen)
    if ran:
        ended = ended[: next(i for i, name in enumerate(ended) if model.get_submodule(name) is ran[0].module)]
    usable = [name for name in ended if _is_usable(seen[name], len(inputs))]
    return tuple(usable[ceil(share * len(usable)) - 1] for share in SHARES if usable)


def _is_usable(output: Any, count: int) -> bool:
    """Tell whether an output has a row of numbers for each sample."""
    return (
        isinstance(output, Tensor) and output.ndim > 1 and output.is_floating_point() and len(output) == count
    )


def _features(
    model: nn.Module, names: tuple[str, ...], samples: Samples, batch_size: int
) -> tuple[Tensor, ...]:
    """Return ``[samples, channels]`` at every point."""
    rows: list[list[Tensor]] = [[] for _ in names]
    with mode(model, "eval"), torch.no_grad(), first_outputs(model, [*names]) as seen:
        for batch in samples.batches(batch_size):
            seen.clear()
            model(batch.inputs)
            for kept, name in zip(rows, names, strict=True):
                kept.append(averaged(model.get_submodule(name), seen[name]).float().cpu())
    return tuple(torch.cat(kept) for kept in rows)


def averaged(module: nn.Module, output: Tensor) -> Tensor:
    """Average a layer's output over positions or tokens.

    Args:
        module: The layer.
        output: ``[samples, channels, *positions]``, or ``[samples, *positions, channels]``.

    Returns:
        ``[samples, channels]``.
    """
    if output.ndim == 2:
        return output
    first = output.ndim > 3
    if isinstance(module, CHANNELS_FIRST):
        first = True
    elif isinstance(module, CHANNELS_LAST):
        # A layer norm may have its channels anywhere inside, e.g. first after a permutation of its own.
        first = next(module.parameters(recurse=False)).shape[0] != output.shape[-1]
    return output.flatten(2).mean(2) if first else output.flatten(1, -2).mean(1)
