"""NegGrad+: down on the retained data and up on the forget data, in every step."""

from typing import ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from unlearn_core.data import Samples
from unlearn_core.kinds import ScopeKind
from unlearn_core.layers import all_trained
from unlearn_core.method import Dimension, Materials, Method, Need, Range, needed
from unlearn_core.progress import OnStep
from unlearn_core.records.artifact import Recipe
from unlearn_core.records.result import Coverage
from unlearn_core.training import cross_entropy, endless_batches, fit, refuse_single


class NegGradPlus(Method):
    """Minimise ``alpha · loss(retain) - (1 - alpha) · loss(forget)``, with a batch of each in every step.

    The baseline NegGrad+ of Kurmanji, Triantafillou, Hayes & Triantafillou, "Towards Unbounded Machine
    Unlearning", NeurIPS 2023, arXiv 2302.09880. An epoch is a pass over the retained data; the forget data is
    repeated as often as that takes. The defaults are those of the authors' notebook for a few classes of
    CIFAR-10; they take ``alpha`` nearer to one (0.9999) where single samples are to be forgotten.

    Attributes:
        alpha: Weight of the loss on the retained data.
        recipe: Optimiser, schedule and epochs.
    """

    name: Literal["neg_grad_plus"] = "neg_grad_plus"
    alpha: float = Field(default=0.95, gt=0, lt=1)
    recipe: Recipe = Field(
        default=Recipe(
            optimizer="sgd",
            learning_rate=0.01,
            momentum=0.0,
            weight_decay=0.0,
            schedule="constant",
            epochs=10,
            batch_size=128,
        )
    )

    needs: ClassVar[frozenset[Need]] = frozenset({Need.FORGET, Need.RETAIN})
    scopes: ClassVar[frozenset[ScopeKind]] = frozenset({"classes", "samples"})
    summary: ClassVar[str] = (
        "minimise the loss on the retained data and maximise it on the forget data at once"
    )
    does: ClassVar[str] = "unlearns the forgotten data and learns the kept data at the same time"
    space: ClassVar[dict[str, Dimension]] = {
        "recipe.learning_rate": Range(low=1e-3, high=0.1, log=True),
        "alpha": Range(low=0.8, high=0.9999),
    }

    def apply(
        self, model: nn.Module, materials: Materials, *, generator: torch.Generator, on_step: OnStep
    ) -> tuple["NegGradPlus", Coverage]:
        """Train every weight of ``model``; see ``Method.apply``."""
        model.requires_grad_(True)
        retain, forget = needed(materials.retain, Need.RETAIN), needed(materials.forget, Need.FORGET)
        refuse_single(forget)
        batches = endless_batches(forget, self.recipe, generator)

        def loss(model: nn.Module, batch: Samples) -> Tensor:
            kept, forgotten = cross_entropy(model, batch), cross_entropy(model, next(batches))
            return self.alpha * kept - (1 - self.alpha) * forgotten

        fit(model, retain, self.recipe, generator=generator, on_step=on_step, loss=loss)
        return self, all_trained(model)
