"""Uncentred second moments of layer inputs: the one statistic that the projection methods need.

For each linear layer, the sum of ``x x^T`` over all its input rows ``x`` (see ``layers``). It is summed in
one streaming forward pass, can be added and subtracted across data sets, and holds what the training data
looked like from inside the model without holding any sample. It belongs to the weights at which it was taken.

::

    whole = collect(model, training_samples)
    retained = subtract(whole, collect(model, forget_samples))
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from unlearn_core.attention import modules_called
from unlearn_core.batching import Batches, show
from unlearn_core.data import Samples
from unlearn_core.errors import MomentsError
from unlearn_core.layers import linear_layers
from unlearn_core.modes import mode
from unlearn_core.on_demand import OnDemand
from unlearn_core.padding import padding_told
from unlearn_core.progress import OnStep, ignore_step
from unlearn_core.ranks import own_part
from unlearn_core.summing import Sums


@dataclass(frozen=True)
class Moments:
    """Uncentred second moments of the input rows of every layer that was called.

    Attributes:
        layers: By layer name, ``[groups, d_in, d_in]`` float64 on the CPU, summed and not averaged. A layer
            that was never called has no entry. *On demand*, each is laid out when it is asked for.
        positions: By layer name, how many rows were summed.
        samples: How many samples they were taken over.
    """

    layers: Mapping[str, Tensor]
    positions: dict[str, int]
    samples: int


def collect(
    model: nn.Module,
    samples: Batches,
    *,
    batch_size: int = 256,
    on_demand: bool = False,
    on_step: OnStep = ignore_step,
) -> Moments:
    """Sum the second moments of every linear layer's inputs in one forward pass in eval mode.

    The model is left as it was found. Memory is bounded by the batch and the layers, whatever the number
    of samples. A module that is called more than once, or that shares its weight, sums over all uses.
    Several ranks pass a part of the batches each, and all get the sums over all of them.

    Args:
        model: The model.
        samples: The data to pass through it, on the model's device.
        batch_size: Samples per forward pass, halved where memory runs out.
        on_demand: Whether layers are laid out only when they are asked for: convolutions are summed by their
            lags, which takes a small part of the memory.
        on_step: Called after every batch.

    Returns:
        The moments.

    Raises:
        MomentsError: If several ranks called layers differently.
    """
    sums = Sums()

    def look(batch: Samples, before: int) -> None:
        sums.begin(before, before + len(batch))
        model(batch.inputs)

    found, part = linear_layers(model), own_part(samples, batch_size)
    handles = [layer.module.register_forward_pre_hook(sums.hook(layer), with_kwargs=True) for layer in found]
    try:
        with mode(model, "eval"), modules_called(), padding_told(model, found), torch.no_grad():
            show(part, look, batch_size=batch_size, phase="moments", on_step=on_step)
    finally:
        for handle in handles:
            handle.remove()
    if part is not samples:
        sums.add_up()
    layers = sums.on_demand() if on_demand else sums.moments()
    return Moments(layers, sums.positions, len(samples))


def add(first: Moments, second: Moments) -> Moments:
    """Return the moments of two disjoint data sets together.

    Args:
        first: Moments at some weights.
        second: Moments of other data at the same weights.

    Returns:
        Their sum.

    Raises:
        MomentsError: If they are not of the same layers.
    """
    _refuse_other_layers(first, second)
    return Moments(
        {name: moment + second.layers[name] for name, moment in first.layers.items()},
        {name: count + second.positions[name] for name, count in first.positions.items()},
        first.samples + second.samples,
    )


def subtract(whole: Moments, part: Moments, *, tolerance: float = 1e-5, on_demand: bool = False) -> Moments:
    """Return the moments of a data set without a part of it.

    Args:
        whole: Moments of all the data.
        part: Moments of some of it, at the same weights and with the same deterministic transform.
        tolerance: How far below zero an eigenvalue of the difference may lie, in units of the largest
            eigenvalue of the whole, before the two count as mismatched.
        on_demand: Whether layers are subtracted again whenever they are asked for, and not kept.

    Returns:
        The difference.

    Raises:
        MomentsError: If the two are not of the same layers, or the part is not contained in the whole. An
            absolute value would hide that, and could protect the very directions to be forgotten.
    """
    layers = OnDemand(whole.layers, lambda name: whole.layers[name] - part.layers[name])
    kept: dict[str, Tensor] = {}
    problems: list[str] = []
    _refuse_other_layers(whole, part)
    for name, difference in layers.items():
        if problem := _negative(whole.layers[name], difference, tolerance):
            problems.append(f"{name}: {problem}")
        if not on_demand:
            kept[name] = difference
    positions = {name: count - part.positions[name] for name, count in whole.positions.items()}
    if problems or whole.samples < part.samples or min(positions.values(), default=0) < 0:
        raise MomentsError(
            f"the moments of {part.samples} samples are not contained in those of {whole.samples}: "
            + ("; ".join(problems) or "there are more rows than in the whole")
            + ". Collect both at the same weights, with the same deterministic transform, and the part from "
            "samples of the whole; if the model changed, collect the whole again"
        )
    return Moments(layers if on_demand else kept, positions, whole.samples - part.samples)


def _refuse_other_layers(first: Moments, second: Moments) -> None:
    mine = {name: tuple(moment.shape) for name, moment in first.layers.items()}
    theirs = {name: tuple(moment.shape) for name, moment in second.layers.items()}
    if mine != theirs:
        different = sorted(name for name in mine.keys() | theirs.keys() if mine.get(name) != theirs.get(name))
        described = "; ".join(f"{name}: {mine.get(name)} and {theirs.get(name)}" for name in different)
        raise MomentsError(
            f"the second moments are of different layers: {described}. Collect both from one model"
        )


def _negative(whole: Tensor, difference: Tensor, tolerance: float) -> str:
    """Say how far below zero a difference's eigenvalues lie, or nothing if not beyond the tolerance."""
    # A Cholesky factor of the shifted difference exists if and only if they do not lie beyond it, at a
    # fraction of the eigenvalues' cost. Coordinates that are always zero are left out.
    diagonals = torch.cat([moment.diagonal(dim1=-2, dim2=-1) for moment in (whole, difference)])
    live = diagonals.abs().amax(0).nonzero().squeeze(1)
    whole, difference = (moment[:, live][:, :, live] for moment in (whole, difference))
    largest = _largest_eigenvalue(whole)
    shift = tolerance * largest * torch.eye(len(live), dtype=whole.dtype)
    if largest > 0 and not torch.linalg.cholesky_ex(difference + shift).info.any():
        return ""
    smallest = float(torch.linalg.eigvalsh(difference).min()) if len(live) else 0.0
    return f"smallest eigenvalue {smallest:.3g}, largest of the whole {largest:.3g}" if smallest < 0 else ""


def _largest_eigenvalue(moment: Tensor) -> float:
    """Return the largest eigenvalue of ``[groups, d, d]``, from below and to a few per cent.

    Ten steps of power iteration: the moments are not centred, so the leading direction stands out.
    """
    direction = moment.diagonal(dim1=-2, dim2=-1).sqrt()[..., None]
    for _ in range(10):
        image = moment @ direction
        direction = image / image.norm(dim=-2, keepdim=True).clamp_min(torch.finfo(image.dtype).tiny)
    return float((moment @ direction).norm(dim=-2).amax()) if moment.numel() else 0.0
