"""Repair: take normalisation statistics anew and fine-tune on retained data, as little as is needed."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import ClassVar, Literal

import torch
from pydantic import Field
from torch import nn

from unlearn_core.aiming import NEARER
from unlearn_core.data import Samples
from unlearn_core.freezing import all_frozen, trained_or_frozen
from unlearn_core.kinds import ScopeKind
from unlearn_core.method import Choice, Dimension, Materials, Method, Need, Range, Tuning, needed
from unlearn_core.objective import held_out_scores
from unlearn_core.progress import OnStep, Step
from unlearn_core.records.artifact import Recipe
from unlearn_core.records.result import Coverage
from unlearn_core.running_statistics import running_norms, take_statistics_anew
from unlearn_core.states import copied_state
from unlearn_core.training import fit, refuse_single
from unlearn_core.tuning import HeldOutScores


class Repair(Method):
    """Take normalisation statistics anew, then fine-tune on the retained data for as few epochs as it takes.

    Meant to follow a method that costs more accuracy than forgetting needs. The repair step is that of Tarun,
    Chundawat, Mandal & Kankanhalli, arXiv 2111.08947, section IV; a projection changes weights and leaves the
    statistics of the layers after them as they were (Ioffe & Szegedy, arXiv 1502.03167, section 3.1). Nets
    without batch normalisation have no such statistics.

    How much is done is found on the tuning data: nothing, new statistics, or up to ``most_epochs`` epochs. A
    further step is kept if it raises the accuracy on retained images by ``margin`` or more and does not bring
    the forgotten class back; the first that is not ends the search. New statistics can bring a class back
    that was projected out of the weights. Then they are left as they were, and the epochs leave them alone
    too. Every epoch ends a cosine of its own: each may be the last.

    Alone it is a weak baseline, and refused where it finds nothing to repair.

    Attributes:
        statistics: Whether statistics are taken anew, and move while the net trains; if not, normalisation is
            frozen. None lets the tuning data decide together with the epochs. Without it, they are.
        epochs: Passes over the retained data; None lets the tuning data decide. Without it, one.
        most_epochs: The most that are tried.
        margin: By how much a further step must raise the accuracy on retained images, as a share of them.
        come_back: How far the accuracy on forgotten images may rise above that before the repair; one image
            always may.
        learning_rate: At the beginning of each epoch; stochastic gradient descent with momentum 0.9.
        recipe: What batch size, weight decay and augmentation are taken from; None takes the recipe of the
            model's own card, if it has one.
    """

    name: Literal["repair"] = "repair"
    statistics: bool | None = None
    epochs: int | None = Field(default=None, ge=0)
    most_epochs: int = Field(default=3, ge=0)
    margin: float = Field(default=0.002, ge=0, le=1)
    come_back: float = Field(default=0.01, ge=0, le=1)
    learning_rate: float = Field(default=0.005, gt=0)
    recipe: Recipe | None = None

    needs: ClassVar[frozenset[Need]] = frozenset({Need.RETAIN})
    uses: ClassVar[frozenset[Need]] = frozenset({Need.TUNING, Need.ORIGIN})
    scopes: ClassVar[frozenset[ScopeKind]] = frozenset({"classes", "samples"})
    summary: ClassVar[str] = (
        "new normalisation statistics, and as little fine-tuning as the tuning data asks for"
    )
    data_parallel: ClassVar[bool] = True
    does: ClassVar[str] = "adjusts the model to the kept data alone, as briefly as it takes"
    space: ClassVar[dict[str, Dimension]] = {
        "most_epochs": Choice(options=(0, 1, 2, 4)),
        "learning_rate": Range(low=5e-4, high=0.05, log=True),
    }

    def apply(
        self, model: nn.Module, materials: Materials, *, generator: torch.Generator, on_step: OnStep
    ) -> tuple["Repair", Coverage]:
        """Adjust ``model``; see ``Method.apply``."""
        retain, tuning = needed(materials.retain, Need.RETAIN), materials.tuning
        refuse_single(retain)
        own = None if materials.origin is None else materials.origin.recipe
        recipe = self.recipe or own or Recipe()
        run = _Run(model, retain, self._gently(recipe), generator, on_step)
        if self.epochs is None and tuning is not None:
            statistics, epochs = self._search(run, tuning)
        else:
            statistics = self.statistics is not False and run.has_statistics
            epochs = min(1, self.most_epochs) if self.epochs is None else self.epochs
            for _ in run.steps(statistics=statistics, most=epochs):
                pass
        found = {"recipe": recipe, "statistics": statistics, "epochs": epochs}
        return self.model_copy(update=found), _coverage(model, statistics=statistics, epochs=epochs)

    def _gently(self, recipe: Recipe) -> Recipe:
        return recipe.model_copy(
            update={
                "optimizer": "sgd",
                "learning_rate": self.learning_rate,
                "momentum": 0.9,
                "schedule": "cosine",
                "epochs": 1,
            }
        )

    def _search(self, run: "_Run", tuning: Tuning) -> tuple[bool, int]:
        """Leave the model as it was after the last step that was worth it; return what was done."""
        before = best = held_out_scores(run.model, tuning)
        original = kept = copied_state(run.model)
        forgotten = 1 if tuning.forget is None else len(tuning.forget)
        allowed = max(self.come_back, 1 / forgotten)
        start, done, tried = run.generator.get_state(), (False, 0), 0
        for statistics in self._ways(run):
            run.model.load_state_dict(original)
            run.generator.set_state(start)
            back = False
            with torch.random.fork_rng():  # both ways start with the same
                for epochs in run.steps(statistics=statistics, most=self.most_epochs):
                    now, tried = held_out_scores(run.model, tuning), tried + 1
                    values = {"statistics": float(statistics), "epochs": float(epochs), **now.values()}
                    run.on_step(Step("search", tried, 2 * self.most_epochs + 1, values))
                    back = now.forget_accuracy > before.forget_accuracy + allowed
                    better = self._is_better(now, best)
                    if better and not back:
                        best, done, kept = now, (statistics, epochs), copied_state(run.model)
                    elif epochs or back:
                        break
            if not back:
                break
        run.model.load_state_dict(kept)
        return done

    def _is_better(self, now: HeldOutScores, best: HeldOutScores) -> bool:
        """Tell whether a further step was worth it."""
        if now.far is None or best.far is None:
            return now.retain_accuracy >= best.retain_accuracy + self.margin
        return now.far <= best.far - NEARER

    def _ways(self, run: "_Run") -> tuple[bool, ...]:
        """Return whether to take statistics anew, in the order in which that is tried."""
        if not run.has_statistics:
            return (False,)
        return (True, False) if self.statistics is None else (self.statistics,)


class _Run:
    """Repairs a model step by step."""

    def __init__(
        self,
        model: nn.Module,
        retain: Samples,
        recipe: Recipe,
        generator: torch.Generator,
        on_step: OnStep,
    ) -> None:
        self.model = model
        self.generator = generator
        self.on_step = on_step
        self._retain = retain
        self._recipe = recipe
        self.has_statistics = bool(running_norms(model))

    def steps(self, *, statistics: bool, most: int) -> Iterator[int]:
        """Take statistics anew or freeze normalisation, and train; yield the epochs so far after each."""
        self.model.requires_grad_(True)
        if statistics:
            size = self._recipe.batch_size
            take_statistics_anew(self.model, self._retain, batch_size=size, generator=self.generator)
            yield 0
        else:
            for norm in running_norms(self.model):
                norm.requires_grad_(False)
        for epoch in range(1, most + 1):
            told = partial(_tell, self.on_step, epoch, most)
            fit(self.model, self._retain, self._recipe, generator=self.generator, on_step=told)
            yield epoch


def _coverage(model: nn.Module, *, statistics: bool, epochs: int) -> Coverage:
    """Say which parameters were trained, from the switches that the training has left."""
    if not epochs:
        return all_frozen(model, "no epoch was needed")
    model.requires_grad_(True)
    for norm in () if statistics else running_norms(model):
        norm.requires_grad_(False)
    return trained_or_frozen(model, "normalisation is left as it was")


def _tell(on_step: OnStep, epoch: int, most: int, step: Step) -> None:
    """Report an epoch, which was trained by itself, as one of several."""
    on_step(replace(step, index=epoch, total=most))
