"""Fine-tuning on the retained data: forgetting by neglect."""

from typing import ClassVar, Literal

import torch
from pydantic import Field
from torch import nn

from unlearn_core.kinds import ScopeKind
from unlearn_core.layers import all_trained
from unlearn_core.method import Choice, Dimension, Materials, Method, Need, Range, needed
from unlearn_core.progress import OnStep
from unlearn_core.records.artifact import Recipe
from unlearn_core.records.result import Coverage
from unlearn_core.training import fit


class Finetune(Method):
    """Continue training on the retained data alone, and let catastrophic forgetting do the rest.

    The baseline of Golatkar, Achille & Soatto, CVPR 2020, arXiv 1911.04933, section 6.

    Attributes:
        recipe: Optimiser, schedule and epochs of the extra training.
    """

    name: Literal["finetune"] = "finetune"
    recipe: Recipe = Field(
        default=Recipe(optimizer="sgd", learning_rate=0.05, weight_decay=5e-4, schedule="cosine", epochs=5)
    )

    needs: ClassVar[frozenset[Need]] = frozenset({Need.RETAIN})
    scopes: ClassVar[frozenset[ScopeKind]] = frozenset({"classes", "samples"})
    summary: ClassVar[str] = "continue training on the retained data alone"
    data_parallel: ClassVar[bool] = True
    does: ClassVar[str] = "continues training with the kept data only, hoping that the rest fades"
    space: ClassVar[dict[str, Dimension]] = {
        "recipe.learning_rate": Range(low=0.003, high=0.3, log=True),
        "recipe.epochs": Choice(options=(2, 5, 10)),
    }

    def apply(
        self, model: nn.Module, materials: Materials, *, generator: torch.Generator, on_step: OnStep
    ) -> tuple["Finetune", Coverage]:
        """Continue training ``model``; see ``Method.apply``."""
        model.requires_grad_(True)
        fit(model, needed(materials.retain, Need.RETAIN), self.recipe, generator=generator, on_step=on_step)
        return self, all_trained(model)
