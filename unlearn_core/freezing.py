"""The last layers of a net, and freezing what comes before them."""

from collections.abc import Collection

import torch
from torch import nn

from unlearn_core.layers import all_trained
from unlearn_core.records.result import Coverage, ParameterCoverage


def last_layers(model: nn.Module, count: int) -> list[str]:
    """Name the modules from the last ``count`` layers on, in the order in which they were registered.

    A layer is a module with its own weight of two dimensions or more (linear layers, convolutions,
    embeddings, attention). Normalisation between and after the last layers belongs to them.

    Args:
        model: The net.
        count: How many layers; all modules if the net has no more.

    Returns:
        The modules' names.
    """
    modules = list(model.named_modules())
    layers = [
        place
        for place, (_, module) in enumerate(modules)
        if any(parameter.ndim > 1 for parameter in module.parameters(recurse=False))
    ]
    start = layers[-count] if count < len(layers) else 0
    return [name for name, _ in modules[start:]]


def freeze_all_but(model: nn.Module, names: Collection[str]) -> Coverage:
    """Enable gradients only for the named modules' own parameters.

    Args:
        model: Its gradient switches are changed in place.
        names: The modules that are trained.

    Returns:
        What is trained and what is frozen.
    """
    model.requires_grad_(False)
    for name in names:
        for parameter in model.get_submodule(name).parameters(recurse=False):
            parameter.requires_grad_(True)
    return trained_or_frozen(model, "comes before the last layers")


def trained_or_frozen(model: nn.Module, reason: str) -> Coverage:
    """Return the coverage of training as a model's gradient switches are, and why the rest is frozen."""
    trained = {name for name, parameter in model.named_parameters() if parameter.requires_grad}
    pairs = zip(all_trained(model).parameters, all_frozen(model, reason).parameters, strict=True)
    return Coverage(parameters=tuple(one if one.parameter in trained else other for one, other in pairs))


def all_frozen(model: nn.Module, reason: str) -> Coverage:
    """Return the coverage of a method that leaves every parameter as it is, and why."""
    entries = all_trained(model).parameters
    return Coverage(
        parameters=tuple(
            ParameterCoverage(**{**dict(entry), "treatment": "frozen", "reason": reason}) for entry in entries
        )
    )


def reinitialise(model: nn.Module, fresh: nn.Module, names: Collection[str]) -> None:
    """Give the named modules' own parameters and buffers the values of another net of the same kind.

    Args:
        model: Changed in place.
        fresh: The other net, on any device.
        names: The modules.
    """
    for name in names:
        mine, theirs = model.get_submodule(name), fresh.get_submodule(name)
        values = {**dict(theirs.named_parameters(recurse=False)), **dict(theirs.named_buffers(recurse=False))}
        with torch.no_grad():
            for leaf, value in values.items():
                getattr(mine, leaf).copy_(value)
