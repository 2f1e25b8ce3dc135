"""SalUn: random labels, but only for the weights that are salient to the forget data."""

from collections.abc import Callable, Mapping
from typing import ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from unlearn_core.importance import highest, marked_coverage, saliency
from unlearn_core.kinds import ScopeKind
from unlearn_core.method import Dimension, Materials, Method, Need, Range, needed
from unlearn_core.progress import OnStep
from unlearn_core.records.artifact import Recipe
from unlearn_core.records.result import Coverage
from unlearn_core.relabelling import relabelled
from unlearn_core.training import Lesson, teach


class SalUn(Method):
    """Train with wrong labels for the forget data, and let only the most salient weights change.

    Fan, Liu, Zhang, Wong, Wei & Liu, "SalUn: Empowering Machine Unlearning via Gradient-based Weight Saliency
    in Both Image Classification and Generation", ICLR 2024, arXiv 2310.12508, section 4: a weight is salient
    if the magnitude of the forget loss's gradient is above a threshold, by default the median. An epoch is a
    pass over the forget data with labels drawn again from the other classes, and one over the retained data,
    as in the authors' code for CIFAR-10, from which the defaults are. The gradient is taken at the original
    weights, and weights that are not salient are put back after every step, as in the present version of
    their code. Unlike there, labels are never the true ones, momentum is Nesterov's, and images are cropped
    and mirrored only if the recipe says so.

    Attributes:
        share: The share of all weights that is salient; 0.5 is the median.
        recipe: Optimiser, schedule and epochs.
    """

    name: Literal["salun"] = "salun"
    share: float = Field(default=0.5, gt=0, le=1)
    recipe: Recipe = Field(
        default=Recipe(
            optimizer="sgd",
            learning_rate=0.01,
            weight_decay=5e-4,
            schedule="constant",
            epochs=10,
            batch_size=256,
        )
    )

    needs: ClassVar[frozenset[Need]] = frozenset({Need.FORGET, Need.RETAIN})
    scopes: ClassVar[frozenset[ScopeKind]] = frozenset({"classes", "samples"})
    summary: ClassVar[str] = (
        "continue training with wrong labels for the forget data, on the weights salient to it"
    )
    does: ClassVar[str] = (
        "relabels the forgotten data at random and trains only the parts that matter most to it"
    )
    touches: ClassVar[str] = "the salient half of all weights"
    space: ClassVar[dict[str, Dimension]] = {
        "recipe.learning_rate": Range(low=1e-3, high=0.3, log=True),
        "share": Range(low=0.1, high=0.9),
    }

    def apply(
        self, model: nn.Module, materials: Materials, *, generator: torch.Generator, on_step: OnStep
    ) -> tuple["SalUn", Coverage]:
        """Train the salient weights of ``model``; see ``Method.apply``."""
        model.requires_grad_(True)
        forget, retain = needed(materials.forget, Need.FORGET), needed(materials.retain, Need.RETAIN)
        scores = saliency(model, forget, batch_size=self.recipe.batch_size, on_step=on_step)
        salient = highest(scores, self.share)
        classes = retain.labels.unique()
        epochs = [
            [
                Lesson(relabelled(forget, classes, generator=generator), told_as="forget_loss"),
                Lesson(retain, told_as="retain_loss"),
            ]
            for _ in range(self.recipe.epochs)
        ]
        back = restorer(model, salient)
        teach(model, epochs, self.recipe, generator=generator, on_step=on_step, after_step=back)
        return self, marked_coverage(model, salient)


def restorer(model: nn.Module, marks: Mapping[str, Tensor]) -> Callable[[], None]:
    """Return a function that puts every weight that is not marked back to its present value.

    After each step of an optimiser that treats every weight separately, this is the same as masking the
    gradients; weight decay and momentum cannot move those weights either.

    Args:
        model: The model, as it is now.
        marks: By parameter name, a mask of the parameter's shape.

    Returns:
        A function without arguments.
    """
    kept = [
        (parameter, parameter.detach().clone(), marks[name]) for name, parameter in model.named_parameters()
    ]

    def restore() -> None:
        with torch.no_grad():
            for parameter, original, mark in kept:
                parameter.copy_(torch.where(mark, parameter, original))

    return restore
