"""What a metric is: its settings plus one verb, from observations to measurements.

A model is run once over every view of the data; metrics see only its outputs. Sides and parts: ``forget`` and
``retain`` of ``train``, ``audit`` and ``test``. In class scope a held-out forget view holds the held-out
samples of the forgotten classes. In sample scope there is none, and *unseen* data are the audit samples of
the classes that the forgotten samples carry. Where planted canaries are forgotten, the held-out ones are the
view ``canary.retain``. The part ``altered`` is held out too, but each model sees its own altered images.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from unlearn_core.errors import NoSampleError, UsageError
from unlearn_core.kinds import ScopeKind
from unlearn_core.observations import (
    HELD_OUT,
    Depths,
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
from unlearn_core.records.evaluation import Measurement, Unmeasured
from unlearn_core.records.words import Words

Observation = Literal[
    "views",
    "reference",
    "floor",
    "original",
    "untrained",
    "depths",
    "relearning",
    "new_head",
    "weights",
    "shadows",
    "ensembles",
]
"""What a metric may read of a subject besides its classes; the names are the fields of ``Subject``."""


ONE_CLASS = "one class is left, and a model that names nothing else is always right"
NOTHING_UNSEEN = (
    "no audit sample has the class of a forgotten sample: there is nothing unseen to compare with"
)


@dataclass(frozen=True)
class Subject:
    """One model under evaluation.

    Attributes:
        classes: How many classes the model tells apart.
        forget_classes: The forgotten classes' indices; empty in sample scope.
        views: The model's outputs on each view; a view that does not exist has no key.
        reference: The same of a retrained model, if there is one.
        floor: The same of a second retrained model: no model can be asked to be closer to the first than this
            one is.
        original: The same of the model before unlearning.
        untrained: The outputs of a net with fresh weights on the view ``train.forget``.
        relearning: How fast the model learns the forgotten data again.
        depths: What the model, and a retrained one, compute below the last layer.
        new_head: How fast the model learns to name held-out samples of the forgotten classes once it, and the
            retrained model, were given the same new head.
        weights: How far its weights are from the retrained model's.
        shadows: Margins of shadow models that saw a sample and of those that did not.
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
    depths: Depths | None = None
    new_head: Relearning | None = None
    weights: WeightDistances | None = None
    shadows: Shadows | None = None
    ensembles: Ensembles | None = None

    @property
    def scope(self) -> ScopeKind:
        """Whether classes or single samples were forgotten."""
        return "classes" if self.forget_classes else "samples"

    def view(self, part: Part, side: Side) -> Outputs:
        """Return the model's outputs on one view.

        Raises:
            NoSampleError: If it is a view of held-out samples, and absent; the message names it.
            UsageError: If another view is absent, or the view is empty.
        """
        outputs = self.views.get((part, side))
        if outputs is None and part != "train":
            raise NoSampleError(no_sample(part, side))
        if outputs is None or len(outputs) == 0:
            state = "absent" if outputs is None else "empty"
            raise UsageError(
                f"the view {part}.{side} is {state}; observe the model on at least one sample of it"
            )
        return outputs

    def unseen(self) -> Outputs:
        """Return the model's outputs on held-out audit samples of the forgotten samples' kind.

        In class scope these are the samples of the forgotten classes, in sample scope all of them.
        """
        return self.view("audit", "forget" if self.forget_classes else "retain")

    def unseen_confidences(self) -> NDArray[np.float64]:
        """Return the probability of every unseen sample's label, ``[samples]``; none if there are none."""
        try:
            return self.unseen().confidences()
        except NoSampleError:
            return np.empty(0)

    def held_out(self) -> Outputs:
        """Return the model's outputs on held-out samples of the forgotten classes: audit, and test if any.

        Raises:
            NoSampleError: If there are none in the audit part. An empty view raises ``UsageError``.
        """
        found = self.view("audit", "forget")
        return found.joined(self.view("test", "forget")) if ("test", "forget") in self.views else found

    def says_nothing(self, outputs: Outputs) -> bool:
        """Return whether all these samples are of the only class that is left: no answer can be wrong."""
        retained = self.views.get(("train", "retain"))
        if retained is None or len(left := retained.labels.unique()) != 1:
            return False
        return bool((outputs.labels == left).all())

    def telling_views(self) -> Iterator[tuple[str, Outputs]]:
        """Return what ``each_view`` yields, without the views that say nothing."""
        return ((name, outputs) for name, outputs in self.each_view() if not self.says_nothing(outputs))

    def silent_on(self, *quantities: str) -> tuple[Unmeasured, ...]:
        """Return quantities of the views that say nothing, as not measured.

        Args:
            *quantities: What would be measured of every view, for example ``accuracy``.
        """
        silent = [name for name, outputs in self.each_view() if self.says_nothing(outputs)]
        return tuple(
            Unmeasured(name=f"{one}.{view}", reason=ONE_CLASS) for view in silent for one in quantities
        )

    def lacking(self, *quantities: str) -> tuple[Unmeasured, ...]:
        """Return quantities of the held-out views that do not exist, as not measured.

        Args:
            *quantities: What would be measured of every view, for example ``accuracy``.
        """
        kept: tuple[View, ...] = (("audit", "retain"), ("test", "retain"))
        expected = (*HELD_OUT, *kept) if self.forget_classes else kept
        return tuple(
            Unmeasured(name=f"{one}.{part}.{side}", reason=no_sample(part, side), lacking=True)
            for part, side in expected
            if (part, side) not in self.views
            for one in quantities
        )

    def shared_views(self) -> list[View]:
        """Return the views on which all models saw the same images: all but the altered ones."""
        return [view for view in self.views if view[0] != "altered"]

    def each_view(self) -> Iterator[tuple[str, Outputs]]:
        """Yield the name (``train.forget``) and the outputs of every view, in a fixed order.

        Yields:
            The views; an empty one raises ``UsageError``.
        """
        for part in get_args(Part):
            for side in get_args(Side):
                if (part, side) in self.views:
                    yield f"{part}.{side}", self.view(part, side)

    def retrained(self) -> "Subject | None":
        """Return the retrained model as its own subject, or None without one.

        Its reference is the second retrained model; what was observed of the model itself is dropped.
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
        """Return the outputs of the model and the reference on the same view.

        Raises:
            UsageError: If the view is absent or empty, or the reference did not see the same samples, as far
                as labels can tell; the message names the view.
        """
        return self._pair(part, side, self.reference, "reference")

    def before_and_after(self, part: Part, side: Side) -> tuple[Outputs, Outputs]:
        """Return the outputs of the original and of the model on the same view.

        Raises:
            UsageError: If the view is absent or empty, or the original did not see the same samples, as far
                as labels can tell; the message names the view.
        """
        after, before = self._pair(part, side, self.original, "original")
        return before, after

    def _pair(
        self, part: Part, side: Side, others: dict[View, Outputs] | None, name: str
    ) -> tuple[Outputs, Outputs]:
        mine, theirs = self.view(part, side), (others or {}).get((part, side))
        if theirs is None or not np.array_equal(mine.labels.numpy(), theirs.labels.numpy()):
            raise UsageError(
                f"the {name} was not observed on the samples of {part}.{side}; observe it on the same view"
            )
        return mine, theirs


def no_sample(part: Part, side: Side) -> str:
    """Say in plain words what it means that a view of held-out samples does not exist."""
    if side == "retain":
        return f"the {part} split has no sample of what is kept"
    return f"not every forgotten class has a sample in the {part} split"


class Metric(Record):
    """A metric: settings as fields, and ``measure``.

    Class attributes say what a metric reads and how to read its numbers: ``needs``, without which it measures
    nothing, ``uses``, read if available, the ``scopes`` in which it has a meaning, the ``neutral`` value of a
    model that forgot as if retrained, and what a value ``above`` or ``below`` it means.

    ``words`` are the plain words for its measurements, by the longest listed prefix of a measurement's name;
    ``headings`` say what a leaderboard calls the gap in a measurement.
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
            subject: What was observed of the model, and of others to compare with.
            seed: For metrics that shuffle, fit or resample.

        Returns:
            The measurements; a metric that lacks something it needs, or has no meaning in the scope, returns
            an empty tuple.

        Raises:
            NoSampleError: If a view of held-out samples that the metric needs is absent. One that is empty
                raises ``UsageError``.
        """
        raise NotImplementedError

    def unmeasured(self, subject: Subject) -> tuple[Unmeasured, ...]:  # noqa: ARG002
        """Return what ``measure`` leaves out, and why.

        Args:
            subject: What ``measure`` is given.
        """
        return ()

    def without_samples(self, reason: str) -> tuple[Unmeasured, ...]:
        """Return all that the metric measures as not measured, for want of samples.

        Args:
            reason: Which samples there are none of.
        """
        names = sorted({name.partition(".")[0] for name in self.words} or {self.name})
        return tuple(Unmeasured(name=name, reason=reason, lacking=True) for name in names)
