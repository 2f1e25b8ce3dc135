"""Boundary Shrink: the forgotten samples become what the model takes them for next."""

from dataclasses import replace
from typing import ClassVar, Literal

import torch
from pydantic import Field
from torch import nn

from unlearn_core.kinds import ScopeKind
from unlearn_core.layers import all_trained
from unlearn_core.method import Materials, Method, Need, needed
from unlearn_core.progress import OnStep
from unlearn_core.records.artifact import Recipe
from unlearn_core.records.result import Coverage
from unlearn_core.training import fit


class SecondGuess(Method):
    """Train on the forget samples with the label that the model takes for the next likely.

    Chen, Gao, Liu, Peng & Wang, "Boundary Unlearning", CVPR 2023, arXiv 2303.11570, in its simplest form: the
    nearest wrong class is read off the outputs, without an adversarial step.

    Attributes:
        recipe: Optimiser, schedule and epochs.
    """

    name: Literal["second_guess"] = "second_guess"
    recipe: Recipe = Field(
        default=Recipe(
            optimizer="adamw",
            learning_rate=0.003,
            weight_decay=0.0,
            schedule="constant",
            epochs=2,
            batch_size=64,
        )
    )

    needs: ClassVar[frozenset[Need]] = frozenset({Need.FORGET})
    scopes: ClassVar[frozenset[ScopeKind]] = frozenset({"classes"})
    summary: ClassVar[str] = "train on the forget data with the model's second guesses for labels"
    does: ClassVar[str] = "teaches the model to take the forgotten data for what it resembles most"

    def apply(
        self, model: nn.Module, materials: Materials, *, generator: torch.Generator, on_step: OnStep
    ) -> tuple["SecondGuess", Coverage]:
        """Train ``model`` on; see ``Method.apply``."""
        forget = needed(materials.forget, Need.FORGET)
        guesses = [second_guesses(model, batch.inputs, materials.classes) for batch in forget.batches(256)]
        relabelled = replace(forget, labels=torch.cat(guesses))
        model.requires_grad_(True)
        fit(model, relabelled, self.recipe, generator=generator, on_step=on_step)
        return self, all_trained(model)


def second_guesses(model: nn.Module, inputs: torch.Tensor, forgotten: tuple[int, ...]) -> torch.Tensor:
    """Return the likeliest class of each sample among those that are kept."""
    with torch.no_grad():
        logits = model(inputs)
    logits[:, list(forgotten)] = -torch.inf
    return logits.argmax(1)
