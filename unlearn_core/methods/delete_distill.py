"""DELETE: distil the original model into itself, with the true class masked out."""

from typing import ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from unlearn_core.data import Samples
from unlearn_core.distillation import divergence_from, teacher, tilted
from unlearn_core.kinds import ScopeKind
from unlearn_core.layers import all_trained
from unlearn_core.method import Choice, Dimension, Materials, Method, Need, Range, needed
from unlearn_core.progress import OnStep
from unlearn_core.records.artifact import Recipe
from unlearn_core.records.result import Coverage
from unlearn_core.training import fit


class DeleteDistill(Method):
    """Teach the model its own answers on the forget data, without their true class.

    Zhou, Zheng, Mo, Lu, Lin & Zheng, "Decoupled Distillation to Erase: A General Unlearning Method for any
    Class-centric Tasks", CVPR 2025, arXiv 2503.23751: the target for a forget sample is the original model's
    softmax with the true class set to zero, normalised again; the loss is ``KL(target ‖ model)``, averaged
    over samples. No retained data is used. The defaults are the published ones, but for Nesterov's momentum,
    which every descent here has. Where several classes are forgotten, all of them are set to zero: with the
    true one alone, each would be taught as the others.

    Its limit: the target is what a model gives whose logit for the class is suppressed, so similar classes
    still tell what was removed; ``neighbour_leakage`` shows it.

    Attributes:
        recipe: Optimiser, schedule and epochs.
    """

    name: Literal["delete_distill"] = "delete_distill"
    recipe: Recipe = Field(
        default=Recipe(
            optimizer="sgd",
            learning_rate=1e-4,
            weight_decay=0.0,
            schedule="constant",
            epochs=20,
            batch_size=128,
        )
    )

    needs: ClassVar[frozenset[Need]] = frozenset({Need.FORGET})
    scopes: ClassVar[frozenset[ScopeKind]] = frozenset({"classes"})
    summary: ClassVar[str] = "imitate the original model with the true class masked; needs no retained data"
    does: ClassVar[str] = "teaches the model its own answers on the forgotten data, without the right one"
    space: ClassVar[dict[str, Dimension]] = {
        "recipe.learning_rate": Range(low=1e-5, high=0.05, log=True),
        "recipe.epochs": Choice(options=(2, 5, 10, 20)),
    }

    def apply(
        self, model: nn.Module, materials: Materials, *, generator: torch.Generator, on_step: OnStep
    ) -> tuple["DeleteDistill", Coverage]:
        """Train every weight of ``model``; see ``Method.apply``."""
        model.requires_grad_(True)
        forget = needed(materials.forget, Need.FORGET)
        original = teacher(model)

        def loss(student: nn.Module, batch: Samples) -> Tensor:
            target = tilted(original(batch.inputs), materials.classes)
            return divergence_from(target, student(batch.inputs))

        fit(model, forget, self.recipe, generator=generator, on_step=on_step, loss=loss)
        return self, all_trained(model)
