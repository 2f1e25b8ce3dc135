"""How far a sequence of deletions has carried a model from the one trained in full.

Each deletion starts from the model that the one before left. The change that each makes is small and judged
against a retrained model; the change that all of them make together is measured here.
"""

from math import sqrt

import torch
from torch import Tensor, nn

from unlearn_core.errors import ModelError
from unlearn_core.layers import observed_layers
from unlearn_core.moments import Moments
from unlearn_core.records.base import Sha256
from unlearn_core.records.drift import Drift, LayerDrift


def weight_distance(model: nn.Module, origin: nn.Module, *, own: bool = False) -> float:
    """Return the relative distance of two models' parameters, ``|W - W0| / |W0|`` over all of them.

    Args:
        model: The model now.
        origin: The same net as it was trained in full.
        own: Leave out the parameters of submodules.

    Returns:
        The distance; buffers, such as running means, are not part of it.
    """
    mine, theirs = (dict(net.named_parameters(recurse=not own)) for net in (model, origin))
    moved = sqrt(sum(_squares(mine[name].detach() - start.detach()) for name, start in theirs.items()))
    return _share(moved, sqrt(sum(_squares(start.detach()) for start in theirs.values())))


def layer_drifts(
    model: nn.Module, origin: nn.Module, moments: Moments, staleness: dict[str, float]
) -> tuple[LayerDrift, ...]:
    """Compare every observed layer with what it was; see ``LayerDrift``.

    Args:
        model: The model now.
        origin: The same net as it was trained in full.
        moments: Second moments at the origin's weights, over the data that is retained now.
        staleness: By layer, how far carried second moments are from those at the model's weights.

    Returns:
        One entry per layer of the moments, in their order.
    """
    now, then = observed_layers(model, moments.layers), observed_layers(origin, moments.layers)
    found = []
    for name, moment in moments.layers.items():
        start = then[name].view(then[name].weight.detach().double().cpu())
        moved = now[name].view(now[name].weight.detach().double().cpu()) - start
        found.append(
            LayerDrift(
                layer=name,
                weight_distance=_share(sqrt(_squares(moved)), sqrt(_squares(start))),
                retained_energy=1 - _share(_energy(moved, moment), _energy(start, moment)),
                staleness=staleness[name],
            )
        )
    return tuple(found)


def stale_by(carried: Moments, fresh: Moments) -> dict[str, float]:
    """Return by layer how far carried second moments are from fresh ones, ``|C - C'| / |C'|``.

    Args:
        carried: Second moments at earlier weights, kept up to date by subtraction.
        fresh: Second moments of the same data at the current weights.

    Returns:
        The relative Frobenius distances.
    """
    return {
        name: _share(sqrt(_squares(moment - fresh.layers[name])), sqrt(_squares(fresh.layers[name])))
        for name, moment in carried.layers.items()
    }


def drift_of(
    model: nn.Module,
    origin: nn.Module,
    *,
    origin_digest: Sha256,
    requests: int,
    moments: Moments,
    staleness: dict[str, float],
    accuracy: float | None,
    accuracy_at_origin: float | None,
) -> Drift:
    """Measure a model's drift.

    Args:
        model: The model now.
        origin: The same net as it was trained in full.
        origin_digest: The digest of the origin's weights.
        requests: Deletions since then, this one included.
        moments: Second moments at the origin's weights, over the data that is retained now.
        staleness: By layer, as ``stale_by`` returns it.
        accuracy: Of the model on the retained audit samples; None if that says nothing.
        accuracy_at_origin: Of the origin on the same samples.

    Returns:
        The record.

    Raises:
        ModelError: If no layer of the model was observed.
    """
    layers = layer_drifts(model, origin, moments, staleness)
    if not layers:
        raise ModelError(
            "no layer's inputs were observed, so drift cannot be measured; collect moments first"
        )
    return Drift(
        origin=origin_digest,
        requests=requests,
        weight_distance=weight_distance(model, origin),
        layer_weight_distance=max(entry.weight_distance for entry in layers),
        retained_energy=min(entry.retained_energy for entry in layers),
        staleness=max(staleness.values()),
        accuracy=accuracy,
        accuracy_at_origin=accuracy_at_origin,
        layers=layers,
    )


def no_drift(weights: Sha256, accuracy: float | None) -> Drift:
    """Return the drift of a model trained in full: none.

    Args:
        weights: The digest of its weights.
        accuracy: Its accuracy on the retained audit samples; None if that says nothing.

    Returns:
        The record.
    """
    return Drift(
        origin=weights,
        requests=0,
        weight_distance=0.0,
        layer_weight_distance=0.0,
        retained_energy=1.0,
        staleness=None,
        accuracy=accuracy,
        accuracy_at_origin=accuracy,
        layers=(),
    )


def _energy(weight: Tensor, moment: Tensor) -> float:
    """Return the summed squared outputs, ``Σ |W x|²``, of ``[groups, d_out, d_in]`` on ``Σ x xᵀ``."""
    # Rounding can take a sum of squares just below zero.
    return max(0.0, float(((weight @ moment) * weight).sum()))


def _squares(tensor: Tensor) -> float:
    return float(tensor.to(torch.float64).square().sum())


def _share(part: float, whole: float) -> float:
    """Return a ratio; where the whole is zero, any change counts as one."""
    return part / whole if whole > 0 else float(part > 0)
