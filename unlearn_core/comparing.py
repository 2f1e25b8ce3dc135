"""Distances between two models' weights."""

from torch import nn

from unlearn_core.drift import weight_distance
from unlearn_core.observations import WeightDistances


def weight_distances(
    model: nn.Module, other: nn.Module, *, second: nn.Module | None = None
) -> WeightDistances:
    """Return how far a model's weights are from another's, relative to the other's size.

    Args:
        model: The model under evaluation.
        other: The same net, retrained.
        second: The same net, retrained with another seed, for the floor.

    Returns:
        The distances, overall and for every layer with its own matrix or kernel.
    """
    layers = {
        name: weight_distance(layer, other.get_submodule(name), own=True)
        for name, layer in model.named_modules()
        if name and any(parameter.ndim > 1 for parameter in layer.parameters(recurse=False))
    }
    floor = None if second is None else weight_distances(other, second)
    return WeightDistances(weight_distance(model, other), layers, floor)
