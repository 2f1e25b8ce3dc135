"""CF-k: fine-tune the last k layers, and hope that they forget."""

from typing import ClassVar, Literal

import torch
from pydantic import Field
from torch import nn

from unlearn_core.freezing import freeze_all_but, last_layers
from unlearn_core.kinds import ScopeKind
from unlearn_core.method import Choice, Dimension, Materials, Method, Need, Range, needed
from unlearn_core.progress import OnStep
from unlearn_core.records.artifact import Recipe
from unlearn_core.records.result import Coverage
from unlearn_core.training import fit


class CfK(Method):
    """Continue training the last layers on the retained data alone; everything before them is frozen.

    Catastrophic forgetting of the last k layers: Goel, Prabhu, Sanyal, Lim, Torr & Kumaraguru, "Towards
    Adversarial Evaluations for Inexact Machine Unlearning", arXiv 2201.06640. The defaults are those of the
    authors' code, except for the warm restarts of their schedule. Frozen layers keep their running statistics
    as well, which their code goes on updating.

    Attributes:
        layers: How many layers are trained, k, counted from the last one back.
        recipe: Optimiser, schedule and epochs.
    """

    name: Literal["cf_k"] = "cf_k"
    layers: int = Field(default=3, ge=1)
    recipe: Recipe = Field(
        default=Recipe(
            optimizer="sgd", learning_rate=0.1, weight_decay=5e-5, schedule="cosine", epochs=30, batch_size=64
        )
    )

    needs: ClassVar[frozenset[Need]] = frozenset({Need.RETAIN})
    scopes: ClassVar[frozenset[ScopeKind]] = frozenset({"classes", "samples"})
    summary: ClassVar[str] = "continue training the last k layers on the retained data alone"
    does: ClassVar[str] = "continues training the last layers with the kept data only"
    touches: ClassVar[str] = "the last k layers"
    space: ClassVar[dict[str, Dimension]] = {
        "recipe.learning_rate": Range(low=0.003, high=0.3, log=True),
        "layers": Choice(options=(1, 2, 3, 5)),
    }

    def apply(
        self, model: nn.Module, materials: Materials, *, generator: torch.Generator, on_step: OnStep
    ) -> tuple["CfK", Coverage]:
        """Train the last layers of ``model``; see ``Method.apply``."""
        retain = needed(materials.retain, Need.RETAIN)
        coverage = freeze_all_but(model, last_layers(model, self.layers))
        fit(model, retain, self.recipe, generator=generator, on_step=on_step)
        return self, coverage
