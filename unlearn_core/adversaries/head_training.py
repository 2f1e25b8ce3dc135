"""Training that moves forgotten images to other classes without taking them out of the features."""

from dataclasses import replace
from typing import ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from unlearn_core.adversaries.heads import head_of, neighbours
from unlearn_core.data import Samples, concatenate
from unlearn_core.distillation import divergence_from, teacher, tilted
from unlearn_core.freezing import freeze_all_but
from unlearn_core.kinds import ScopeKind
from unlearn_core.layers import all_trained
from unlearn_core.method import Materials, Method, Need, needed
from unlearn_core.progress import OnStep
from unlearn_core.records.artifact import Recipe
from unlearn_core.records.result import Coverage
from unlearn_core.training import fit
from unlearn_core.tuning import answers

_BRIEF = Recipe(
    optimizer="adamw", learning_rate=1e-3, weight_decay=0.0, schedule="cosine", epochs=4, batch_size=64
)


class HeadDistillation(Method):
    """Teach the head alone the original's answers without the forgotten classes, on all training data.

    Attributes:
        recipe: Optimiser, schedule and epochs.
    """

    name: Literal["head_distillation"] = "head_distillation"
    recipe: Recipe = Field(default=_BRIEF.model_copy(update={"learning_rate": 0.01}))

    needs: ClassVar[frozenset[Need]] = frozenset({Need.FORGET, Need.RETAIN})
    scopes: ClassVar[frozenset[ScopeKind]] = frozenset({"classes"})
    summary: ClassVar[str] = "teach the head alone to leave the forgotten classes out"
    touches: ClassVar[str] = "the last layer"

    def apply(
        self, model: nn.Module, materials: Materials, *, generator: torch.Generator, on_step: OnStep
    ) -> tuple["HeadDistillation", Coverage]:
        """Train the head of ``model``; see ``Method.apply``."""
        forget, retain = needed(materials.forget, Need.FORGET), needed(materials.retain, Need.RETAIN)
        original, coverage = teacher(model), freeze_all_but(model, [head_of(model).name])

        def loss(student: nn.Module, batch: Samples) -> Tensor:
            target = tilted(original(batch.inputs), materials.classes)
            return divergence_from(target, student(batch.inputs))

        everything = concatenate(forget, retain)
        fit(model, everything, self.recipe, generator=generator, on_step=on_step, loss=loss)
        return self, coverage


class NeighbourShuffling(Method):
    """Continue training on all data, each forgotten image labelled as one of the classes most like it.

    Attributes:
        layers: What is trained: the head alone, or all weights.
        nearest: From how many classes the label is drawn, those that the original finds most likely.
        recipe: Optimiser, schedule and epochs.
    """

    name: Literal["neighbour_shuffling"] = "neighbour_shuffling"
    layers: Literal["head", "all"] = "head"
    nearest: int = Field(default=3, ge=1)
    recipe: Recipe = Field(default=_BRIEF)

    needs: ClassVar[frozenset[Need]] = frozenset({Need.FORGET, Need.RETAIN})
    scopes: ClassVar[frozenset[ScopeKind]] = frozenset({"classes"})
    summary: ClassVar[str] = "label forgotten images as classes that resemble them, at random"

    def apply(
        self, model: nn.Module, materials: Materials, *, generator: torch.Generator, on_step: OnStep
    ) -> tuple["NeighbourShuffling", Coverage]:
        """Train ``model``, or its head; see ``Method.apply``."""
        forget, retain = needed(materials.forget, Need.FORGET), needed(materials.retain, Need.RETAIN)
        logits = answers(model, forget)
        drawn = neighbours(logits, materials.classes, nearest=self.nearest, generator=generator)
        model.requires_grad_(True)
        head_alone = self.layers == "head"
        coverage = freeze_all_but(model, [head_of(model).name]) if head_alone else all_trained(model)
        shuffled = concatenate(replace(forget, labels=drawn), retain)
        fit(model, shuffled, self.recipe, generator=generator, on_step=on_step)
        return self, coverage
