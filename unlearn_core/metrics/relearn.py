"""Relearn time: how quickly what was forgotten comes back."""

from collections.abc import Iterator, Mapping
from typing import ClassVar, Literal

from pydantic import Field

from unlearn_core.errors import UsageError
from unlearn_core.metric import Metric, Observation, Subject, no_sample
from unlearn_core.observations import HELD_OUT, KNOWN_AGAIN, RelearnCurve, Relearning
from unlearn_core.records.evaluation import Measurement, Unmeasured
from unlearn_core.records.words import Words


class Relearn(Metric):
    """Optimiser steps on the forgotten data until its accuracy is within ``within`` of the original's.

    The relearn time of Golatkar et al. (arXiv 2012.13431) and Chundawat et al. (arXiv 2205.08096), read off
    the curve that ``unlearn_core.relearning`` observed: one optimiser, the same samples and batches for every
    model. Fast relearning says that something is still there.

    Measures ``relearn.steps``, the first measured step at which the model had arrived, and
    ``relearn.censored``: 1 if it never had, and then the steps are the limit, which the true number exceeds;
    else 0. With a reference ``relearn.retrained.steps`` and ``relearn.retrained.censored`` too, and
    ``relearn.ratio``, the model's steps over the retrained model's. There are no intervals: one run is one
    number.

    ``relearn.new_head`` are the same after the model and the retrained one were given the same new last
    layer, fitted on retained data, so that only their features are left to differ. Both are taught
    forgotten and retained samples, half and half, and have arrived where the accuracy on held-out samples
    of the forgotten classes is half of the original's. It is measured in class scope alone: single samples
    have no held-out ones.

    Where the forgotten data is measured by sample, steps are fewer and longer (``relearning.COARSE``), for
    every model alike.

    Traps: a ratio of a censored number is a bound and not a value, so check both flags; where the retrained
    model needs no step at all, which is usual for a few samples of classes that are kept, there is no ratio,
    unless the model needs none either: then it is 1.
    """

    name: Literal["relearn"] = "relearn"
    within: float = Field(default=0.05, ge=0, lt=1)
    summary: ClassVar[str] = (
        "optimiser steps until the forgotten data is known again, against the retrained model's"
    )
    needs: ClassVar[frozenset[Observation]] = frozenset({"relearning"})
    uses: ClassVar[frozenset[Observation]] = frozenset({"new_head"})
    neutral: ClassVar[str] = "a ratio of 1"
    above: ClassVar[str] = "over-forgotten"
    below: ClassVar[str] = "under-forgotten"
    words: ClassVar[Mapping[str, Words]] = {
        "relearn.steps": Words(
            label="Steps to learn it again",
            explanation="How many steps of training bring the forgotten data back. Far fewer than the "
            "retrained model needs means that something was left.",
            unit="count",
        ),
        "relearn.ratio": Words(
            label="Steps, against the retrained model’s",
            explanation="1 is just as many; clearly below 1, something was left.",
        ),
        "relearn.censored": Words(
            label="Not known again in time",
            explanation="1 if the data had not come back when training ended: it takes more than the steps "
            "above.",
            unit="count",
        ),
        "relearn.new_head.steps": Words(
            label="Steps to learn it again, with a new last layer",
            explanation="How many steps of training bring the forgotten class back after the last layer was "
            "made anew. Far fewer than the retrained model needs means that something was left below it.",
            unit="count",
        ),
        "relearn.new_head.ratio": Words(
            label="Steps with a new last layer, against the retrained model’s",
            explanation="1 is just as many; clearly below 1, something was left below the last layer.",
        ),
        "relearn": Words(
            label="Relearning",
            explanation="How fast the model learns the forgotten data again; much faster than the "
            "retrained model means that something was left.",
            unit="count",
            title="Learning it again",
        ),
    }
    headings: ClassVar[Mapping[str, str]] = {
        "relearn.ratio": "relearn time, ratio",
    }

    def measure(self, subject: Subject, *, seed: int) -> tuple[Measurement, ...]:  # noqa: ARG002
        """Measure one model.

        Args:
            subject: What was observed while a copy of the model, and of the retrained one, was taught.
            seed: Not used: nothing here is random.

        Returns:
            The measurements; none where no curve was observed.

        Raises:
            UsageError: If a curve is empty.
        """
        if (seen := subject.relearning) is None:
            return ()
        found = [*_compared("relearn", seen, seen.original - self.within)]
        if subject.new_head is not None and subject.forget_classes:
            goal = KNOWN_AGAIN * subject.new_head.original
            found += _compared("relearn.new_head", subject.new_head, goal)
        return tuple(found)

    def unmeasured(self, subject: Subject) -> tuple[Unmeasured, ...]:
        """Return the curve with a new head, if there are no samples for it; see ``Metric.unmeasured``."""
        if not subject.forget_classes or any(view in subject.views for view in HELD_OUT):
            return ()
        return (Unmeasured(name="relearn.new_head", reason=no_sample(*HELD_OUT[0]), lacking=True),)


def _compared(name: str, seen: Relearning, goal: float) -> Iterator[Measurement]:
    """Yield when the model arrived at an accuracy, and how that compares with the retrained model."""
    if not seen.model.steps or (seen.reference is not None and not seen.reference.steps):
        raise UsageError("a relearn curve is empty; measure at least once, before the first step")
    mine = list(_arrival(name, seen.model, goal))
    yield from mine
    if seen.reference is not None:
        theirs = list(_arrival(f"{name}.retrained", seen.reference, goal))
        yield from theirs
        yield from _ratio(name, mine[0], theirs[0])


def _arrival(name: str, curve: RelearnCurve, goal: float) -> Iterator[Measurement]:
    """Yield the steps until a curve arrived, or the limit, and whether it is the limit."""
    arrived = curve.arrival(goal)
    steps = float(curve.limit if arrived is None else arrived)
    yield Measurement(name=f"{name}.steps", value=steps, samples=curve.samples)
    yield Measurement(name=f"{name}.censored", value=float(arrived is None), samples=curve.samples)


def _ratio(name: str, mine: Measurement, theirs: Measurement) -> Iterator[Measurement]:
    """Yield the ratio of two numbers of steps, where it is defined."""
    if theirs.value > 0 or mine.value == 0:
        value = mine.value / theirs.value if theirs.value > 0 else 1.0
        yield Measurement(name=f"{name}.ratio", value=value, samples=mine.samples)
