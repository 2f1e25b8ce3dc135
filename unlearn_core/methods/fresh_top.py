"""A fresh top: new weights for the last layers, trained for a few epochs on what the others give."""

from collections.abc import Iterator
from typing import ClassVar, Literal

import torch
from pydantic import Field
from torch import nn

from unlearn_core.activations import Boundary, Cut, bytes_per_sample, find_boundary, outputs_at
from unlearn_core.data import Samples
from unlearn_core.freezing import freeze_all_but, last_layers, reinitialise
from unlearn_core.kinds import ScopeKind
from unlearn_core.layers import all_trained
from unlearn_core.method import Choice, Dimension, Materials, Method, Need, Range, needed
from unlearn_core.progress import OnStep
from unlearn_core.records.artifact import Recipe
from unlearn_core.records.result import Coverage
from unlearn_core.training import Lesson, augment, fit, refuse_single, teach

PROBE = 8
"""How many samples a boundary is looked for with."""


class FreshTop(Method):
    """Give the last layers fresh weights and train them on retained data, on kept outputs of the frozen ones.

    EU-k (Goel, Prabhu, Sanyal, Lim, Torr & Kumaraguru, arXiv 2201.06640) made cheap. Frozen layers give the
    same outputs in every epoch, so they are run once, and a few epochs take the place of the whole recipe.
    If asked for, a short pass over all weights follows.

    Its limit: frozen layers have seen the forgotten data, and their features may still tell it. A linear
    probe of the features shows how much; the coverage says which layers were frozen.

    Attributes:
        layers: How many layers are made anew, k, counted from the last one back.
        epochs: Passes over the retained data.
        recipe: How to train; None takes the recipe of the model's own card, at ``epochs`` epochs.
        copies: How many augmented copies of each image are kept, where the recipe augments.
        kept_mib: What kept outputs may take, in MiB, and twice that while they are joined. Fewer copies are
            kept where they would take more; where one would, the whole net runs in every epoch.
        polish_epochs: Passes over the retained data at the end, with all weights trained.
        polish_lr: Learning rate of these; stochastic gradient descent with momentum 0.9.
    """

    name: Literal["fresh_top"] = "fresh_top"
    layers: int = Field(default=3, ge=1)
    epochs: int = Field(default=2, ge=1)
    recipe: Recipe | None = None
    copies: int = Field(default=2, ge=1)
    kept_mib: int = Field(default=2048, ge=0)
    polish_epochs: int = Field(default=0, ge=0)
    polish_lr: float = Field(default=0.001, gt=0)

    needs: ClassVar[frozenset[Need]] = frozenset({Need.RETAIN, Need.ORIGIN})
    scopes: ClassVar[frozenset[ScopeKind]] = frozenset({"classes", "samples"})
    summary: ClassVar[str] = "new weights for the last k layers, trained briefly on kept outputs of the rest"
    does: ClassVar[str] = "gives the last layers fresh weights and trains them without the forgotten data"
    touches: ClassVar[str] = "the last k layers; all weights where it polishes"
    space: ClassVar[dict[str, Dimension]] = {
        "layers": Choice(options=(1, 2, 3, 5)),
        "epochs": Choice(options=(1, 2, 4)),
        "polish_epochs": Choice(options=(0, 1, 2)),
        "polish_lr": Range(low=1e-4, high=0.01, log=True),
    }

    def apply(
        self, model: nn.Module, materials: Materials, *, generator: torch.Generator, on_step: OnStep
    ) -> tuple["FreshTop", Coverage]:
        """Replace the last layers of ``model``; see ``Method.apply``."""
        retain, origin = needed(materials.retain, Need.RETAIN), needed(materials.origin, Need.ORIGIN)
        recipe = (self.recipe or origin.recipe).model_copy(update={"epochs": self.epochs})
        names = last_layers(model, self.layers)
        reinitialise(model, origin.untrained(), names)
        coverage = freeze_all_but(model, names)
        self._train_top(model, retain, recipe, generator, on_step)
        if self.polish_epochs:
            model.requires_grad_(True)
            coverage = all_trained(model)
            fit(model, retain, self._polish(recipe), generator=generator, on_step=on_step, phase="polish")
        return self.model_copy(update={"recipe": recipe}), coverage

    def _train_top(
        self, model: nn.Module, retain: Samples, recipe: Recipe, generator: torch.Generator, on_step: OnStep
    ) -> None:
        """Train the layers that are not frozen, on kept outputs where they fit."""
        refuse_single(retain)
        boundary = find_boundary(model, next(retain.batches(PROBE)).inputs) if self.kept_mib else None
        kept = None if boundary is None else self._kept(model, boundary, retain, recipe, generator)
        if boundary is None or not kept:
            fit(model, retain, recipe, generator=generator, on_step=on_step)
            return
        plain = recipe.model_copy(update={"augmentation": "none"})
        epochs = [[Lesson(kept[epoch % len(kept)])] for epoch in range(recipe.epochs)]
        teach(Cut(model, boundary), epochs, plain, generator=generator, on_step=on_step)

    def _kept(
        self,
        model: nn.Module,
        boundary: Boundary,
        retain: Samples,
        recipe: Recipe,
        generator: torch.Generator,
    ) -> list[Samples]:
        """Return the copies of the retained data that fit; none if the net cannot be cut for all of it."""
        copies: list[Samples] = []
        for _ in range(self._copies_that_fit(boundary, recipe, len(retain))):
            outputs = outputs_at(model, boundary, _augmented(retain, recipe, generator))
            if outputs is None:
                return []
            copies.append(Samples(outputs, retain.labels))
        return copies

    def _copies_that_fit(self, boundary: Boundary, recipe: Recipe, count: int) -> int:
        """Return how many copies of the retained data are kept."""
        wanted = 1 if recipe.augmentation == "none" else min(self.copies, recipe.epochs)
        return min(wanted, self.kept_mib * 2**20 // max(1, count * bytes_per_sample(boundary)))

    def _polish(self, recipe: Recipe) -> Recipe:
        return recipe.model_copy(
            update={
                "optimizer": "sgd",
                "learning_rate": self.polish_lr,
                "momentum": 0.9,
                "schedule": "constant",
                "epochs": self.polish_epochs,
            }
        )


def _augmented(samples: Samples, recipe: Recipe, generator: torch.Generator) -> Iterator[torch.Tensor]:
    """Yield the inputs of all samples in order, batch by batch, augmented if the recipe does so."""
    return (augment(batch.inputs, recipe, generator) for batch in samples.batches(recipe.batch_size))
