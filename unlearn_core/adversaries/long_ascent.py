"""Gradient ascent that nobody stops."""

from typing import ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from unlearn_core.data import Samples
from unlearn_core.kinds import ScopeKind
from unlearn_core.layers import all_trained
from unlearn_core.method import Materials, Method, Need, needed
from unlearn_core.progress import OnStep, Step
from unlearn_core.records.artifact import Recipe
from unlearn_core.records.result import Coverage
from unlearn_core.states import copied_state
from unlearn_core.training import cross_entropy, fit
from unlearn_core.tuning import answers

_GROWTH, _BEYOND = 1.5, 4.0


class LongAscent(Method):
    """Climb the loss of the forgotten data until it is several times a retrained model's.

    The rate that ruins a net depends on the net, so it grows by half from pass to pass. A pass that goes far
    beyond is undone, and the rate halved.

    Attributes:
        until: The mean loss on the forgotten data at which to stop; a retrained model has about 10.
        most_epochs: The most passes.
        recipe: Of the first pass.
    """

    name: Literal["long_ascent"] = "long_ascent"
    until: float = Field(default=60.0, gt=0)
    most_epochs: int = Field(default=40, ge=1)
    recipe: Recipe = Field(
        default=Recipe(optimizer="sgd", learning_rate=1e-3, momentum=0.0, schedule="constant", epochs=1)
    )

    needs: ClassVar[frozenset[Need]] = frozenset({Need.FORGET})
    scopes: ClassVar[frozenset[ScopeKind]] = frozenset({"classes", "samples"})
    summary: ClassVar[str] = "maximise the loss on the forget data, long after it is forgotten"

    def apply(
        self, model: nn.Module, materials: Materials, *, generator: torch.Generator, on_step: OnStep
    ) -> tuple["LongAscent", Coverage]:
        """Train every weight of ``model``; see ``Method.apply``."""
        model.requires_grad_(True)
        forget, rate = needed(materials.forget, Need.FORGET), self.recipe.learning_rate
        for index in range(1, self.most_epochs + 1):
            before = copied_state(model)
            recipe = self.recipe.model_copy(update={"learning_rate": rate})
            fit(model, forget, recipe, generator=generator, loss=_ascent)
            loss = float(F.cross_entropy(answers(model, forget), forget.labels))
            if not loss <= _BEYOND * self.until:  # nor if it is no number
                model.load_state_dict(before)
                rate /= 2
                continue
            on_step(Step("epochs", index, self.most_epochs, {"loss": loss}))
            if loss >= self.until:
                break
            rate *= _GROWTH
        return self, all_trained(model)


def _ascent(model: nn.Module, batch: Samples) -> Tensor:
    return -cross_entropy(model, batch)
