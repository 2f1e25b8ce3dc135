"""Weights that may only move outside the input space of the data to be kept."""

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor, nn

from unlearn_core.layer import Layer
from unlearn_core.layers import observed_layers
from unlearn_core.moments import Moments
from unlearn_core.subspaces import Energy, Protection, eigenbasis, leading_rank, protection, protection_of_all


@dataclass(frozen=True)
class Guarded:
    """One weight, with the protection of the retained data in each of its groups."""

    layer: Layer
    protections: tuple[Protection, ...]

    @property
    def fixed(self) -> bool:
        """Whether every gradient lies in the protected space, so that none need be computed."""
        return all(protection.entire for protection in self.protections)

    def outside(self, gradient: Tensor) -> Tensor:
        """Return the part of the weight's gradient outside the protected space; the gradient is consumed."""
        view = self.layer.view(gradient)
        for protected, rows in zip(self.protections, view, strict=True):
            protected.remove_(rows)
        return self.layer.fold(view)


def guard(
    model: nn.Module, retained: Moments, shares: Mapping[str, float], energy: Energy = "singular_values"
) -> list[Guarded]:
    """Protect the leading input directions of the retained data in every observed layer.

    Args:
        model: The model that the moments were taken of.
        retained: Moments of the retained data.
        shares: By layer name, the share of the energy that is protected.
        energy: What it is a share of.

    Returns:
        One entry per weight.
    """
    return [
        Guarded(
            layer,
            tuple(_protect(moment, shares[name], energy, layer.weight) for moment in retained.layers[name]),
        )
        for name, layer in observed_layers(model, retained.layers).items()
    ]


def _protect(moment: Tensor, share: float, energy: Energy, weight: Tensor) -> Protection:
    """Protect a share of a group's energy, in the type and on the device of the weight."""
    if share >= 1:
        return protection_of_all(moment.to(weight))
    basis = eigenbasis(moment.to(weight.device)).to(weight)
    return protection(basis, leading_rank(basis, share, energy))
