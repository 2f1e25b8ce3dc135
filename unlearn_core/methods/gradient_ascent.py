"""Gradient ascent on the forget data: the simplest way to unlearn, and an unstable one."""

from typing import ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from unlearn_core.data import Samples
from unlearn_core.kinds import ScopeKind
from unlearn_core.layers import all_trained
from unlearn_core.method import Choice, Dimension, Materials, Method, Need, Range, needed
from unlearn_core.progress import OnStep
from unlearn_core.records.artifact import Recipe
from unlearn_core.records.result import Coverage
from unlearn_core.training import Lesson, cross_entropy, teach


class GradientAscent(Method):
    """Maximise the cross-entropy on the forget data, ignoring the rest.

    The negative gradient of Golatkar, Achille & Soatto, CVPR 2020, arXiv 1911.04933, section 6, on the forget
    data alone, as later work compares with it; the defaults are those of Fan et al., arXiv 2310.12508, for
    CIFAR-10. The loss has no upper bound: larger steps, or more of them, ruin the model, so the rate has to
    suit the net.

    Attributes:
        recipe: Optimiser, schedule and epochs of the ascent.
    """

    name: Literal["gradient_ascent"] = "gradient_ascent"
    recipe: Recipe = Field(
        default=Recipe(
            optimizer="sgd",
            learning_rate=1e-4,
            weight_decay=5e-4,
            schedule="constant",
            epochs=5,
            batch_size=256,
        )
    )

    needs: ClassVar[frozenset[Need]] = frozenset({Need.FORGET})
    scopes: ClassVar[frozenset[ScopeKind]] = frozenset({"classes", "samples"})
    summary: ClassVar[str] = "maximise the loss on the forget data"
    does: ClassVar[str] = "runs training backwards on the forgotten data"
    space: ClassVar[dict[str, Dimension]] = {
        "recipe.learning_rate": Range(low=1e-5, high=0.01, log=True),
        "recipe.epochs": Choice(options=(1, 3, 5, 10)),
    }

    def apply(
        self, model: nn.Module, materials: Materials, *, generator: torch.Generator, on_step: OnStep
    ) -> tuple["GradientAscent", Coverage]:
        """Train every weight of ``model``; see ``Method.apply``."""
        model.requires_grad_(True)
        lesson = Lesson(needed(materials.forget, Need.FORGET), ascent, told_as="forget_loss")
        teach(model, [[lesson]] * self.recipe.epochs, self.recipe, generator=generator, on_step=on_step)
        return self, all_trained(model)


def ascent(model: nn.Module, batch: Samples) -> Tensor:
    """Return the loss to minimise: the negative cross-entropy."""
    return -cross_entropy(model, batch)
