"""SCRUB: a student that disobeys its teacher on the forget data and obeys on the rest."""

from collections.abc import Callable
from math import inf
from typing import Annotated, ClassVar, Literal, Self

import torch
from pydantic import Field, model_validator
from torch import Tensor, nn
from torch.nn import functional as F

from unlearn_core.data import Samples
from unlearn_core.distillation import divergence, teacher
from unlearn_core.kinds import ScopeKind
from unlearn_core.layers import all_trained
from unlearn_core.method import Choice, Dimension, Materials, Method, Need, Range, needed
from unlearn_core.progress import OnStep, Step
from unlearn_core.records.artifact import Recipe
from unlearn_core.records.result import Coverage
from unlearn_core.states import copied_state
from unlearn_core.training import Lesson, Loss, teach
from unlearn_core.tuning import accuracy

_Distance = Callable[[nn.Module, int], float]


class Scrub(Method):
    """Alternate epochs away from the original model on the forget data with epochs towards it on the rest.

    Kurmanji, Triantafillou, Hayes & Triantafillou, "Towards Unbounded Machine Unlearning", NeurIPS 2023,
    arXiv 2302.09880, algorithm 1: with d the divergence from the original model's softened outputs, max
    epochs maximise d on the forget data, and min epochs minimise ``alpha · d + gamma · cross-entropy`` on the
    retained data. The first ``max_epochs`` epochs have both, in this order; the others repair. The defaults
    are those of the authors' notebook ``large_scale_unlearning`` for CIFAR-10, except for the sizes of
    batches: 256 retained and 512 forgotten samples here, 128 and 32 there. With 5,000 forgotten images that
    is 10 steps away in an epoch in place of 157.

    SCRUB+R, for samples that should be recognised as well as unseen ones and no worse: ``keep="nearest"``
    keeps the epoch whose accuracy on the forget data is nearest to that on held-out data. Held-out data of
    all classes stands for data that is distributed like the forget data.

    Attributes:
        alpha: Weight of the divergence on the retained data.
        gamma: Weight of the cross-entropy on the retained data.
        temperature: Softens the outputs that are compared.
        max_epochs: How many epochs begin with a max epoch (the authors' ``msteps``).
        forget_batch_size: Forget samples per step; the recipe's batch size is for the retained data.
        keep: The epoch whose weights are kept, from 1: the last, or the nearest (SCRUB+R; without held-out
            data, or to forget classes, the last).
        recipe: Optimiser, schedule and epochs, shared by all steps.
    """

    name: Literal["scrub"] = "scrub"
    alpha: float = Field(default=0.001, ge=0)
    gamma: float = Field(default=0.99, ge=0)
    temperature: float = Field(default=4.0, gt=0)
    max_epochs: int = Field(default=2, ge=1)
    forget_batch_size: int = Field(default=512, ge=2)
    keep: Literal["last", "nearest"] | Annotated[int, Field(ge=1)] = "last"
    recipe: Recipe = Field(
        default=Recipe(
            optimizer="sgd",
            learning_rate=5e-4,
            weight_decay=5e-4,
            schedule="constant",
            epochs=3,
            batch_size=256,
        )
    )

    needs: ClassVar[frozenset[Need]] = frozenset({Need.FORGET, Need.RETAIN})
    uses: ClassVar[frozenset[Need]] = frozenset({Need.TUNING})
    scopes: ClassVar[frozenset[ScopeKind]] = frozenset({"classes", "samples"})
    summary: ClassVar[str] = (
        "move away from the original model on the forget data, and towards it on the rest"
    )
    does: ClassVar[str] = (
        "lets the model follow the original on the kept data and leave it on the forgotten data"
    )
    space: ClassVar[dict[str, Dimension]] = {
        "recipe.learning_rate": Range(low=1e-4, high=0.1, log=True),
        "recipe.epochs": Choice(options=(3, 5, 10)),
        "max_epochs": Choice(options=(1, 2, 3)),
    }

    def apply(
        self, model: nn.Module, materials: Materials, *, generator: torch.Generator, on_step: OnStep
    ) -> tuple["Scrub", Coverage]:
        """Train every weight of ``model``; see ``Method.apply``."""
        model.requires_grad_(True)
        forget, retain = needed(materials.forget, Need.FORGET), needed(materials.retain, Need.RETAIN)
        away, towards = self.losses(teacher(model))
        lessons = [
            Lesson(forget, away, self.forget_batch_size, told_as="forget_loss"),
            Lesson(retain, towards, told_as="retain_loss"),
        ]
        epochs = [lessons if epoch < self.max_epochs else lessons[1:] for epoch in range(self.recipe.epochs)]
        rewind = _Rewind(model, self._distance(forget, materials), on_step)
        teach(model, epochs, self.recipe, generator=generator, on_step=rewind.see)
        return Scrub(**{**dict(self), "keep": rewind.back()}), all_trained(model)

    def losses(self, original: nn.Module) -> tuple[Loss, Loss]:
        """Return the losses to minimise on the forget data and on the retained data.

        Args:
            original: The teacher.

        Returns:
            The loss of a max epoch, and that of a min epoch.
        """

        def away(model: nn.Module, batch: Samples) -> Tensor:
            return -divergence(model(batch.inputs), original(batch.inputs), temperature=self.temperature)

        def towards(model: nn.Module, batch: Samples) -> Tensor:
            student = model(batch.inputs)
            distance = divergence(student, original(batch.inputs), temperature=self.temperature)
            return self.alpha * distance + self.gamma * F.cross_entropy(student, batch.labels)

        return away, towards

    def _distance(self, forget: Samples, materials: Materials) -> _Distance:
        """Return how far an epoch is from the one that is kept."""
        tuning = materials.tuning
        if self.keep == "nearest" and tuning is not None and materials.scope == "samples":
            return lambda model, _: abs(accuracy(model, forget) - accuracy(model, tuning.retain))
        wanted = self.recipe.epochs if isinstance(self.keep, str) else self.keep
        return lambda _, epoch: abs(epoch - wanted)

    @model_validator(mode="after")
    def _keeps_an_epoch_that_there_is(self) -> Self:
        if isinstance(self.keep, int) and self.keep > self.recipe.epochs:
            raise ValueError(f"epoch {self.keep} cannot be kept: there are {self.recipe.epochs}")
        return self


class _Rewind:
    """Watches the epochs, and goes back to the one nearest to the goal, the later of equals."""

    def __init__(self, model: nn.Module, distance: _Distance, on_step: OnStep) -> None:
        self._model = model
        self._distance = distance
        self._on_step = on_step
        self._least = inf
        self._epoch = 0
        self._weights: dict[str, Tensor] = {}

    def see(self, step: Step) -> None:
        """Remember an epoch's weights if none before was nearer."""
        self._on_step(step)
        if (distance := self._distance(self._model, step.index)) <= self._least:
            self._least, self._epoch = distance, step.index
            self._weights = copied_state(self._model)

    def back(self) -> int:
        """Write the nearest epoch's weights and return its number."""
        self._model.load_state_dict(self._weights)
        return self._epoch
