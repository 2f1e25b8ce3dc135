"""What a method is: its hyper-parameters plus one verb.

A method is a frozen record, so the object in ``params.yaml``, the object that runs and the object in the
certificate are the same. It names what it needs, and ``unlearn()`` hands it only that: a method cannot touch
data that it did not declare, because it never receives that data.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Self, TypeVar

import torch
from torch import nn

from unlearn_core.data import Samples
from unlearn_core.errors import NeedError
from unlearn_core.kinds import ScopeKind
from unlearn_core.moments import Moments
from unlearn_core.progress import OnStep, Step, ignore_step  # noqa: F401
from unlearn_core.records.aim import Aim
from unlearn_core.records.artifact import Recipe
from unlearn_core.records.base import Record, canonical_json
from unlearn_core.records.result import Coverage
from unlearn_core.records.tuning import Choice, Dimension, Range, Value  # noqa: F401
from unlearn_core.rewinding import TrainingState

_T = TypeVar("_T")
M = TypeVar("M", bound="Method")


class Need(StrEnum):
    """A material that a method may ask for; the values are the field names of ``Materials``."""

    FORGET = "forget"
    RETAIN = "retain"
    MOMENTS = "moments"
    TUNING = "tuning"
    ORIGIN = "origin"
    STATES = "states"


@dataclass(frozen=True)
class Tuning:
    """Held-out data for choosing hyper-parameters, in neither training, audit nor test.

    Attributes:
        forget: Held-out samples of the forgotten classes; None in sample scope, and where there are none.
        retain: Held-out samples of everything else.
        aim: Where a retrained model stands on such data, if one is at hand that the gate does not judge by.
    """

    forget: Samples | None
    retain: Samples
    aim: Aim | None = None


@dataclass(frozen=True)
class Origin:
    """Where the model came from, for methods that train from scratch.

    Attributes:
        untrained: Builds the architecture with fresh weights from the global generator.
        recipe: How the model was trained.
    """

    untrained: Callable[[], nn.Module]
    recipe: Recipe


@dataclass(frozen=True)
class Materials:
    """All that a method may be given. None means not needed or not available.

    Attributes:
        scope: Whether classes or single samples are forgotten.
        classes: The forgotten classes' indices; empty in sample scope.
        forget: The training data to forget.
        retain: The training data to keep.
        moments: Second moments of *all* training data, at the model's weights or at earlier ones.
        moments_model: The model that they were taken at, if it is not the one to unlearn.
        tuning: Held-out data to choose hyper-parameters on.
        origin: How to train the model from scratch.
        states: Where its training stood earlier, in order, if that was kept.
    """

    scope: ScopeKind
    classes: tuple[int, ...] = ()
    forget: Samples | None = None
    retain: Samples | None = None
    moments: Moments | None = None
    moments_model: nn.Module | None = None
    tuning: Tuning | None = None
    origin: Origin | None = None
    states: tuple[TrainingState, ...] | None = None

    def available(self) -> frozenset[Need]:
        """Return the needs that these materials can serve."""
        return frozenset(need for need in Need if getattr(self, need.value) is not None)

    def only(self, needs: frozenset[Need]) -> "Materials":
        """Return the materials with everything outside ``needs`` removed."""
        kept = {need.value: getattr(self, need.value) for need in needs}
        observer = self.moments_model if Need.MOMENTS in needs else None
        return Materials(scope=self.scope, classes=self.classes, moments_model=observer, **kept)

    def observer(self, model: nn.Module) -> nn.Module:
        """Return the model that the moments were taken at: the given one, or an earlier one.

        What is subtracted from the moments must be collected at that model, never at a later one.

        Args:
            model: The model to unlearn; the earlier one is moved to its device.

        Returns:
            The model to collect at.
        """
        if self.moments_model is None:
            return model
        return self.moments_model.to(next(model.parameters()).device)


def needed(material: _T | None, need: Need) -> _T:
    """Return a material that a method declared.

    Raises:
        NeedError: If it is missing; the message names the need.
    """
    if material is None:
        raise NeedError(f"the method used {need.value!r}, which it did not declare or was not given")
    return material


class Method(Record):
    """An unlearning method: hyper-parameters as fields, and ``apply``.

    Class attributes say what a method needs, what it also uses if available, which scopes it supports, and in
    a few words what it does and which weights it touches. ``does`` says the same to people who have never
    heard of unlearning, and completes "This method …".

    ``data_parallel`` says that gradients are only ever taken of passes of the whole model, so that several
    ranks may share out the batches (``unlearn_core.data_parallel``).

    Hyper-parameters that default to None are found on the tuning data (or take a documented default without
    it); ``apply`` returns the method with them filled in. ``space`` says what a search from outside may try
    for each of them.
    """

    name: str
    needs: ClassVar[frozenset[Need]]
    uses: ClassVar[frozenset[Need]] = frozenset()
    scopes: ClassVar[frozenset[ScopeKind]]
    summary: ClassVar[str]
    does: ClassVar[str] = ""
    touches: ClassVar[str] = "all weights"
    stochastic: ClassVar[bool] = True
    data_parallel: ClassVar[bool] = False
    space: ClassVar[Mapping[str, Dimension]] = {}

    def apply(
        self, model: nn.Module, materials: Materials, *, generator: torch.Generator, on_step: OnStep
    ) -> tuple[Self, Coverage]:
        """Change ``model`` in place so that it forgets.

        Args:
            model: A private copy, in eval mode.
            materials: What the method declared, and nothing else.
            generator: A seeded CPU generator; the global one is seeded and forked as well.
            on_step: Called after every step.

        Returns:
            The method with every hyper-parameter filled in, and what it did to each parameter.
        """
        raise NotImplementedError


def settled(method: M, values: Mapping[str, Value]) -> M:
    """Return a method with some hyper-parameters replaced.

    Args:
        method: The method.
        values: By name; a dot leads into a nested record, as in ``recipe.epochs``.

    Returns:
        The method with these values, validated as always.
    """
    tree = method.model_dump(mode="json")
    for name, value in values.items():
        *path, last = name.split(".")
        place = tree
        for part in path:
            place = place[part]
        place[last] = value
    return type(method).parse(canonical_json(tree))
