"""A fresh top: new weights for the last layers, trained for a few epochs on what the others give."""

from collections.abc import Iterator
from itertools import product
from math import inf
from typing import Annotated, ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from unlearn_core.activations import Boundary, Cut, bytes_per_sample, find_boundary, outputs_at
from unlearn_core.aiming import NEAR
from unlearn_core.data import Samples
from unlearn_core.freezing import freeze_all_but, last_layers, reinitialise
from unlearn_core.kinds import ScopeKind
from unlearn_core.layers import all_trained
from unlearn_core.method import Choice, Dimension, Materials, Method, Need, Range, Tuning, needed
from unlearn_core.objective import held_out_scores
from unlearn_core.progress import OnStep, Step
from unlearn_core.records.artifact import Recipe
from unlearn_core.records.result import Coverage
from unlearn_core.states import copied_state
from unlearn_core.training import Lesson, augment, fit, refuse_single, teach
from unlearn_core.tuning import HeldOutScores

PROBE = 8
"""How many samples a boundary is looked for with."""
UNTUNED = (3, 2)
"""Layers and epochs where there is nothing to tune on."""

Count = Annotated[int, Field(ge=1)]


class FreshTop(Method):
    """Give the last layers fresh weights and train them on retained data, on kept outputs of the frozen ones.

    EU-k (Goel, Prabhu, Sanyal, Lim, Torr & Kumaraguru, arXiv 2201.06640) made cheap. Frozen layers give the
    same outputs in every epoch, so they are run once, and a few epochs take the place of the whole recipe.
    If asked for, a short pass over all weights follows.

    How many epochs, and of how many layers if that is left open, is found on the tuning data: the fewest with
    which the class is forgotten, and retained images are recognised about as often and as surely as before.
    A top that was trained too briefly is unsure of everything, and more so of forgotten images than a
    retrained model. If no try is enough, the surest among those that forget is taken.

    Its limit: frozen layers have seen the forgotten data, and their features may still tell it. A linear
    probe of the features shows how much; the coverage says which layers were frozen. Accuracies do not show
    it: a new head alone gets them right and removes nothing, so ``depths`` does not begin with it.

    Attributes:
        layers: How many layers are made anew, k, counted from the last one back; None searches ``depths``.
            Without tuning data, 3.
        epochs: Passes over the retained data; None searches ``lengths``. Without tuning data, 2.
        depths: The numbers of layers to try, the fewest first.
        lengths: The numbers of epochs to try.
        margin: How far the accuracy on retained images may fall for a try to be enough, as a share of them.
        unsure: How far the mean probability of their own class may fall.
        forget_target: The share of forgotten images still recognised at or below which a class is forgotten.
        recipe: How to train; None takes the recipe of the model's own card, at ``epochs`` epochs.
        copies: How many augmented copies of each image are kept, where the recipe augments.
        kept_mib: What kept outputs may take, in MiB, and twice that while they are joined. Fewer copies are
            kept where they would take more; where one would, the whole net runs in every epoch.
        polish_epochs: Passes over the retained data at the end, with all weights trained.
        polish_lr: Learning rate of these; stochastic gradient descent with momentum 0.9.
    """

    name: Literal["fresh_top"] = "fresh_top"
    layers: int | None = Field(default=3, ge=1)
    epochs: int | None = Field(default=None, ge=1)
    depths: tuple[Count, ...] = Field(default=(2, 3), min_length=1)
    lengths: tuple[Count, ...] = Field(default=(1, 2, 4), min_length=1)
    margin: float = Field(default=0.01, ge=0, le=1)
    unsure: float = Field(default=0.03, ge=0, le=1)
    forget_target: float = Field(default=0.02, ge=0, le=1)
    recipe: Recipe | None = None
    copies: int = Field(default=2, ge=1)
    kept_mib: int = Field(default=2048, ge=0)
    polish_epochs: int = Field(default=0, ge=0)
    polish_lr: float = Field(default=0.001, gt=0)

    needs: ClassVar[frozenset[Need]] = frozenset({Need.RETAIN, Need.ORIGIN})
    uses: ClassVar[frozenset[Need]] = frozenset({Need.TUNING})
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
        refuse_single(retain)
        found = self.model_copy(update={"recipe": self.recipe or origin.recipe})
        run = _Run(found, model, materials, generator, on_step)
        tries = found._tries(tuned=materials.tuning is not None)
        layers, epochs = tries[0]
        if len(tries) > 1 and materials.tuning is not None:
            layers, epochs = found._search(run, tries, materials.tuning)
        else:
            run.go(layers, epochs)
        names = last_layers(model, layers)
        coverage = freeze_all_but(model, names)
        if self.polish_epochs:
            model.requires_grad_(True)
            coverage = all_trained(model)
            with torch.random.fork_rng():  # the same after a search as without
                torch.manual_seed(int(torch.randint(2**62, (), generator=generator)))
                fit(model, retain, found._polish(), generator=generator, on_step=on_step, phase="polish")
        return found.model_copy(update={"layers": layers, "epochs": epochs}), coverage

    def _tries(self, *, tuned: bool) -> list[tuple[int, int]]:
        """Return the pairs of layers and epochs to try, the cheapest first."""
        if not tuned:
            return [(self.layers or UNTUNED[0], self.epochs or UNTUNED[1])]
        depths = self.depths if self.layers is None else (self.layers,)
        lengths = self.lengths if self.epochs is None else (self.epochs,)
        return sorted(product(depths, lengths))

    def _search(self, run: "_Run", tries: list[tuple[int, int]], tuning: Tuning) -> tuple[int, int]:
        """Leave the model as the cheapest try that is enough has made it, or the best if none is."""
        before = held_out_scores(run.model, tuning)
        original, start = copied_state(run.model), run.generator.get_state()
        best, chosen, kept, end = (False, -inf), tries[0], original, start
        for index, one in enumerate(tries, 1):
            run.model.load_state_dict(original)
            run.generator.set_state(start)
            with torch.random.fork_rng():
                run.go(*one)
            now = held_out_scores(run.model, tuning)
            values = {"layers": float(one[0]), "epochs": float(one[1]), **now.values()}
            run.on_step(Step("search", index, len(tries), values))
            gone = now.forget_accuracy <= self.forget_target
            score = now.confidence if now.far is None else -now.far
            if (gone, score) > best:
                best, chosen = (gone, score), one
                kept, end = copied_state(run.model), run.generator.get_state()
            if gone and self._is_as_good(now, before):
                break
        run.model.load_state_dict(kept)
        run.generator.set_state(end)
        return chosen

    def _is_as_good(self, now: HeldOutScores, before: HeldOutScores) -> bool:
        if now.far is not None:
            return now.far <= NEAR
        return (
            now.retain_accuracy >= before.retain_accuracy - self.margin
            and now.confidence >= before.confidence - self.unsure
        )

    def _polish(self) -> Recipe:
        assert self.recipe is not None
        return self.recipe.model_copy(
            update={
                "optimizer": "sgd",
                "learning_rate": self.polish_lr,
                "momentum": 0.9,
                "schedule": "constant",
                "epochs": self.polish_epochs,
            }
        )


class _Run:
    """Trains fresh last layers of a model; what frozen layers gave is kept from one try to the next."""

    def __init__(
        self,
        method: FreshTop,
        model: nn.Module,
        materials: Materials,
        generator: torch.Generator,
        on_step: OnStep,
    ) -> None:
        assert method.recipe is not None
        self.model = model
        self.generator = generator
        self.on_step = on_step
        self._method = method
        self._recipe = method.recipe
        self._retain = needed(materials.retain, Need.RETAIN)
        self._origin = needed(materials.origin, Need.ORIGIN)
        self._depth = 0
        self._boundary: Boundary | None = None
        self._copies: list[Samples] = []

    def go(self, layers: int, epochs: int) -> None:
        """Give the last layers fresh weights and train them, on kept outputs where they fit."""
        names = last_layers(self.model, layers)
        reinitialise(self.model, self._origin.untrained(), names)
        freeze_all_but(self.model, names)
        recipe = self._recipe.model_copy(update={"epochs": epochs})
        kept = self._kept(layers, recipe)
        if self._boundary is None or not kept:
            fit(self.model, self._retain, recipe, generator=self.generator, on_step=self.on_step)
            return
        plain = recipe.model_copy(update={"augmentation": "none"})
        lessons = [[Lesson(kept[epoch % len(kept)])] for epoch in range(epochs)]
        teach(Cut(self.model, self._boundary), lessons, plain, generator=self.generator, on_step=self.on_step)

    def _kept(self, layers: int, recipe: Recipe) -> list[Samples]:
        """Return the copies of the retained data that fit; none if the net cannot be cut for all of it."""
        if not self._method.kept_mib:
            return []
        if self._depth != layers:
            self._depth, self._copies = layers, []
            self._boundary = find_boundary(self.model, next(self._retain.batches(PROBE)).inputs)
        if self._boundary is None:
            return []
        plain = recipe.augmentation == "none"
        seed = 0 if plain else int(torch.randint(2**62, (), generator=self.generator))
        wanted = copies_that_fit(self._method, self._boundary, recipe, len(self._retain))
        while len(self._copies) < wanted:
            own = torch.Generator().manual_seed(seed + len(self._copies))
            outputs = outputs_at(self.model, self._boundary, _augmented(self._retain, recipe, own))
            if outputs is None:
                self._boundary = None
                return []
            self._copies.append(Samples(outputs, self._retain.labels))
        return self._copies[:wanted]


def copies_that_fit(method: FreshTop, boundary: Boundary, recipe: Recipe, count: int) -> int:
    """Return how many copies of so many samples are kept.

    Args:
        method: How many are wanted, and what they may take.
        boundary: Where the net is cut.
        recipe: The training: without augmentation one copy is all there is, and no epoch needs two.
        count: The number of samples.
    """
    wanted = 1 if recipe.augmentation == "none" else min(method.copies, recipe.epochs)
    return min(wanted, method.kept_mib * 2**20 // max(1, count * bytes_per_sample(boundary)))


def _augmented(samples: Samples, recipe: Recipe, generator: torch.Generator) -> Iterator[Tensor]:
    """Yield the inputs of all samples in order, batch by batch, augmented if the recipe does so."""
    return (augment(batch.inputs, recipe, generator) for batch in samples.batches(recipe.batch_size))
