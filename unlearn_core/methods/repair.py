"""Repair: take normalisation statistics anew and fine-tune on retained data, as little as is needed."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from unlearn_core.data import Samples
from unlearn_core.freezing import all_frozen
from unlearn_core.kinds import ScopeKind
from unlearn_core.layers import all_trained
from unlearn_core.method import Choice, Dimension, Materials, Method, Need, Range, Tuning, needed
from unlearn_core.progress import OnStep, Step
from unlearn_core.records.artifact import Recipe
from unlearn_core.records.result import Coverage
from unlearn_core.running_statistics import running_norms, take_statistics_anew
from unlearn_core.training import fit, refuse_single
from unlearn_core.tuning import accuracy


class Repair(Method):
    """Take normalisation statistics anew, then fine-tune on the retained data for as few epochs as it takes.

    Meant to follow a method that costs more accuracy than forgetting needs. The repair step is that of Tarun,
    Chundawat, Mandal & Kankanhalli, arXiv 2111.08947, section IV; a projection changes weights and leaves the
    statistics of the layers after them as they were (Ioffe & Szegedy, arXiv 1502.03167, section 3.1). Nets
    without batch normalisation have no such statistics.

    How much is done is found on the tuning data: nothing, new statistics, or these and up to ``most_epochs``
    epochs. A further step is kept if it raises the accuracy on retained images by ``margin`` or more, and the
    first epoch that does not is the last one tried. A step after which the forgotten class has come back is
    not kept, and the next one may still be. Every epoch ends a cosine of its own: each may be the last.

    Alone it is a weak baseline, and refused where it finds nothing to repair.

    Attributes:
        statistics: Whether statistics are taken anew, before any epoch.
        epochs: Passes over the retained data; None lets the tuning data decide. Without it, one.
        most_epochs: The most that are tried.
        margin: By how much a further step must raise the accuracy on retained images, as a share of them.
        come_back: How far the accuracy on forgotten images may rise above that before the repair.
        learning_rate: At the beginning of each epoch; stochastic gradient descent with momentum 0.9.
        recipe: What batch size, weight decay and augmentation are taken from; None takes the recipe of the
            model's own card, if it has one.
    """

    name: Literal["repair"] = "repair"
    statistics: bool = True
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
    does: ClassVar[str] = "adjusts the model to the kept data alone, as briefly as it takes"
    space: ClassVar[dict[str, Dimension]] = {
        "most_epochs": Choice(options=(0, 1, 2, 4)),
        "learning_rate": Range(low=5e-4, high=0.05, log=True),
    }

    def apply(
        self, model: nn.Module, materials: Materials, *, generator: torch.Generator, on_step: OnStep
    ) -> tuple["Repair", Coverage]:
        """Adjust ``model``; see ``Method.apply``."""
        model.requires_grad_(True)
        retain, tuning = needed(materials.retain, Need.RETAIN), materials.tuning
        refuse_single(retain)
        own = None if materials.origin is None else materials.origin.recipe
        method = self.model_copy(update={"recipe": self.recipe or own or Recipe()})
        if self.epochs is None and tuning is not None:
            method = method._as_little_as_it_takes(model, retain, tuning, generator, on_step)
        else:
            epochs = min(1, self.most_epochs) if self.epochs is None else self.epochs
            method = method.model_copy(update={"epochs": epochs})
            for _ in method._states(model, retain, generator, on_step):
                pass
        return method, all_trained(model) if method.epochs else all_frozen(model, "no epoch was needed")

    def _states(
        self, model: nn.Module, retain: Samples, generator: torch.Generator, on_step: OnStep
    ) -> Iterator[tuple[bool, int]]:
        """Repair step by step; yield after each whether there are new statistics, and the epochs so far."""
        assert self.recipe is not None
        gently = self.recipe.model_copy(
            update={
                "optimizer": "sgd",
                "learning_rate": self.learning_rate,
                "momentum": 0.9,
                "schedule": "cosine",
                "epochs": 1,
            }
        )
        anew = self.statistics and bool(running_norms(model))
        if anew:
            take_statistics_anew(model, retain, batch_size=gently.batch_size, generator=generator)
            yield True, 0
        most = self.most_epochs if self.epochs is None else self.epochs
        for epoch in range(1, most + 1):
            told = partial(_tell, on_step, epoch, most)
            fit(model, retain, gently, generator=generator, on_step=told)
            yield anew, epoch

    def _as_little_as_it_takes(
        self,
        model: nn.Module,
        retain: Samples,
        tuning: Tuning,
        generator: torch.Generator,
        on_step: OnStep,
    ) -> "Repair":
        """Leave the model as it was after the last step that was worth it."""
        before = best = _Measured.of(model, tuning)
        done, weights = (False, 0), _copied(model)
        for number, state in enumerate(self._states(model, retain, generator, on_step), 1):
            now = _Measured.of(model, tuning)
            on_step(Step("search", number, self.most_epochs + 1, {"epochs": float(state[1]), **now.values()}))
            back = now.forgotten > before.forgotten + self.come_back
            better = now.retained >= best.retained + self.margin
            if better and not back:
                best, done, weights = now, state, _copied(model)
            elif state[1] and not back:
                break
        model.load_state_dict(weights)
        return self.model_copy(update={"statistics": done[0], "epochs": done[1]})


@dataclass(frozen=True)
class _Measured:
    """Accuracies on the tuning data; none is forgotten where there is nothing to measure it on."""

    retained: float
    forgotten: float

    @classmethod
    def of(cls, model: nn.Module, tuning: Tuning) -> "_Measured":
        forgotten = 0.0 if tuning.forget is None else accuracy(model, tuning.forget)
        return cls(accuracy(model, tuning.retain), forgotten)

    def values(self) -> dict[str, float]:
        return {"retain_accuracy": self.retained, "forget_accuracy": self.forgotten}


def _tell(on_step: OnStep, epoch: int, most: int, step: Step) -> None:
    """Report an epoch, which was trained by itself, as one of several."""
    on_step(replace(step, index=epoch, total=most))


def _copied(model: nn.Module) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}
