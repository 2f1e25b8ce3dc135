"""What a metric is: its settings plus one verb, from observations to measurements.

A model is run once over every view of the data; metrics see only what came out. Sides and parts:
``forget`` and ``retain`` of ``train``, ``audit`` and ``test``. In class scope a held-out forget view
holds the held-out samples of the forgotten classes. In sample scope there is none, and *unseen* data
are the audit samples of the classes that the forgotten samples carry. Where planted canaries are
forgotten, those that were held out are the view ``canary.retain``.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal, get_args

import numpy as np

from unlearn_core.errors import UsageError
from unlearn_core.kinds import ScopeKind
from unlearn_core.observations import (
    Ensembles,
    Outputs,
    Part,
    Relearning,
    Shadows,
    Side,
    View,
    WeightDistances,
)
from unlearn_core.records.base import Record
from unlearn_core.records.evaluation import Measurement
from unlearn_core.records.words import Words

Observation = Literal[
    "views", "reference", "floor", "original", "untrained", "relearning", "weights", "shadows", "ensembles"
]
"""What a metric may read of a subject besides its classes; the names are the fields of ``Subject``."""


@dataclass(frozen=True)
class Subject:
    """One model under evaluation.

    Attributes:
        classes: How many classes the model tells apart.
        forget_classes: The forgotten classes' indices; empty in sample scope.
        views: What the model says of each view; a view that does not exist has no key.
        reference: The same views through a retrained model, if there is one.
        floor: The same views through a second retrained model: how far two of them are apart is the least
            that a distance from the first can be asked to be.
        original: The same views through the model before unlearning.
        untrained: What a net with fresh weights says of the view ``train.forget``.
        relearning: How fast the model learns the forgotten data again.
        weights: How far its weights are from the retrained model's.
        shadows: Margins of shadow models that saw a sample and of such that did not.
        ensembles: Margins of several unlearned and several retrained models.
    """

    classes: int
    forget_classes: tuple[int, ...]
    views: dict[View, Outputs]
    reference: dict[View, Outputs] | None = None
    floor: dict[View, Outputs] | None = None
    original: dict[View, Outputs] | None = None
    untrained: Outputs | None = None
    relearning: Relearning | None = None
    weights: WeightDistances | None = None
    shadows: Shadows | None = None
    ensembles: Ensembles | None = None

    @property
    def scope(self) -> ScopeKind:
        """Whether classes or single samples were forgotten."""
        return "classes" if self.forget_classes else "samples"

    def view(self, part: Part, side: Side) -> Outputs:
        """Return what the model says of one view.

        Raises:
            UsageError: If the view is absent or empty; the message names it.
        """
        outputs = self.views.get((part, side))
        if outputs is None or len(outputs) == 0:
            state = "absent" if outputs is None else "empty"
            raise UsageError(
                f"the view {part}.{side} is {state}; observe the model on at least one sample of it"
            )
        return outputs

    def unseen(self) -> Outputs:
        """Return what the model says of held-out audit samples of the forgotten samples' kind.

        Those of the forgotten classes in class scope, and all of them in sample scope.
        """
        return self.view("audit", "forget" if self.forget_classes else "retain")

    def each_view(self) -> Iterator[tuple[str, Outputs]]:
        """Yield the name (``train.forget``) and the outputs of every view there is, in a fixed order.

        Yields:
            The views; an empty one raises ``UsageError``.
        """
        for part in get_args(Part):
            for side in get_args(Side):
                if (part, side) in self.views:
                    yield f"{part}.{side}", self.view(part, side)

    def retrained(self) -> "Subject | None":
        """Return the retrained model as a subject of its own, or None without one.

        Its reference is the second retrained model; what was observed of the model itself is left behind.
        """
        if self.reference is None:
            return None
        return Subject(
            self.classes,
            self.forget_classes,
            self.reference,
            self.floor,
            original=self.original,
            untrained=self.untrained,
        )

    def pair(self, part: Part, side: Side) -> tuple[Outputs, Outputs]:
        """Return what the model and the reference say of the same view.

        Raises:
            UsageError: If the view is absent or empty, or the reference did not see the same samples, as far
                as labels can tell; the message names the view.
        """
        mine, theirs = self.view(part, side), (self.reference or {}).get((part, side))
        if theirs is None or not np.array_equal(mine.labels.numpy(), theirs.labels.numpy()):
            raise UsageError(
                f"the reference was not observed on the samples of {part}.{side}; observe it on the same view"
            )
        return mine, theirs


class Metric(Record):
    """A metric: settings as fields, and ``measure``.

    Class attributes say what a metric reads and how its numbers are to be read: ``needs`` without which it
    measures nothing, ``uses`` where it is there, the ``scopes`` that it has a meaning in, the ``neutral``
    value of a model that forgot as if retrained, and what a value ``above`` and ``below`` it says.

    ``words`` are the plain words for its measurements, by the longest beginning of a measurement's name that
    is listed; ``headings`` say what a leaderboard calls the gap in a measurement.
    """

    name: str
    summary: ClassVar[str]
    needs: ClassVar[frozenset[Observation]] = frozenset({"views"})
    uses: ClassVar[frozenset[Observation]] = frozenset()
    scopes: ClassVar[frozenset[ScopeKind]] = frozenset({"classes", "samples"})
    neutral: ClassVar[str]
    above: ClassVar[str]
    below: ClassVar[str]
    words: ClassVar[Mapping[str, Words]] = {}
    headings: ClassVar[Mapping[str, str]] = {}

    def measure(self, subject: Subject, *, seed: int) -> tuple[Measurement, ...]:
        """Measure one model.

        Args:
            subject: What was observed of the model, and of others beside it.
            seed: For metrics that shuffle, fit or resample.

        Returns:
            The measurements; a metric that lacks something that it needs, or is asked in a scope that it has
            no meaning in, returns an empty tuple.

        Raises:
            UsageError: If a view that the metric needs is empty or absent.
        """
        raise NotImplementedError
