"""EU-k: unlearn the last k layers exactly, by training them from scratch."""

from typing import ClassVar, Literal

import torch
from pydantic import Field
from torch import nn

from unlearn_core.freezing import freeze_all_but, last_layers, reinitialise
from unlearn_core.kinds import ScopeKind
from unlearn_core.method import Choice, Dimension, Materials, Method, Need, needed
from unlearn_core.progress import OnStep
from unlearn_core.records.artifact import Recipe
from unlearn_core.records.result import Coverage
from unlearn_core.training import fit


class EuK(Method):
    """Give the last layers fresh weights and train them on the retained data; the others are frozen.

    Exact unlearning of the last k layers: Goel, Prabhu, Sanyal, Lim, Torr & Kumaraguru, "Towards Adversarial
    Evaluations for Inexact Machine Unlearning", arXiv 2201.06640. As there, the last layers are trained by
    the recipe of the original. Normalisation among them starts afresh too, and frozen layers keep their
    running statistics; neither is so in the authors' code.

    Attributes:
        layers: How many layers are retrained, k, counted from the last one back.
        recipe: How to train; None takes the recipe of the model's own card.
    """

    name: Literal["eu_k"] = "eu_k"
    layers: int = Field(default=3, ge=1)
    recipe: Recipe | None = None

    needs: ClassVar[frozenset[Need]] = frozenset({Need.RETAIN, Need.ORIGIN})
    scopes: ClassVar[frozenset[ScopeKind]] = frozenset({"classes", "samples"})
    summary: ClassVar[str] = "retrain the last k layers from scratch without the forgotten data"
    does: ClassVar[str] = "retrains the last layers from scratch, without the forgotten data"
    touches: ClassVar[str] = "the last k layers"
    space: ClassVar[dict[str, Dimension]] = {
        "layers": Choice(options=(1, 2, 3, 5)),
    }

    def apply(
        self, model: nn.Module, materials: Materials, *, generator: torch.Generator, on_step: OnStep
    ) -> tuple["EuK", Coverage]:
        """Replace the last layers of ``model``; see ``Method.apply``."""
        retain, origin = needed(materials.retain, Need.RETAIN), needed(materials.origin, Need.ORIGIN)
        recipe = self.recipe or origin.recipe
        names = last_layers(model, self.layers)
        reinitialise(model, origin.untrained(), names)
        coverage = freeze_all_but(model, names)
        fit(model, retain, recipe, generator=generator, on_step=on_step)
        return EuK(layers=self.layers, recipe=recipe), coverage
