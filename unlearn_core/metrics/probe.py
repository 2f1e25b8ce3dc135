"""Linear probes: what the features still know, whatever the head says."""

from collections.abc import Iterator, Mapping
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from unlearn_core import intervals
from unlearn_core.linear_probe import LabelledFeatures, right_answers
from unlearn_core.metric import Metric, Observation, Subject
from unlearn_core.observations import InnerFeatures
from unlearn_core.records.evaluation import Measurement
from unlearn_core.records.words import Words

_Estimates = dict[str, intervals.Estimate]


def _words_of(depth: int, where: str) -> dict[str, Words]:
    """Return the words for a probe below the last layer."""
    label = f"Recoverable knowledge, {where} of the way through"
    return {
        f"probe.depth_{depth}.accuracy": Words(
            label=label,
            explanation=f"The same, from what the model computes after {where} of its layers.",
            unit="fraction",
        ),
        f"probe.depth_{depth}.gap": Words(
            label=f"{label}, beyond the retrained model’s",
            explanation="The same, minus what the retrained model gives away there.",
            unit="difference",
        ),
    }


_DEPTH_WORDS = _words_of(1, "a quarter") | _words_of(2, "half") | _words_of(3, "three quarters")


class Probe(Metric):
    """Freeze the features, fit a new linear head, and see whether it finds what was forgotten.

    The head is a multinomial logistic regression (L2, C = 1) on standardised features of the last
    linear layer, fitted on at most ``per_class`` training samples of every class, each class weighted
    equally. In class scope it is fitted on all training data, forgotten classes included, and scored on their
    held-out samples, ``audit.forget`` and ``test.forget`` together: suppressing a class in the head alone
    leaves its score where it was. In sample scope it is fitted on the retained training data and scored on
    the forgotten samples' recorded labels: mislabelled samples that the features have memorised score higher
    than through a retrained model.

    ``probe.depth_1`` to ``probe.depth_3`` are the same at a quarter, half and three quarters of the layers
    (``unlearn_core.depths``), where outputs are averaged over positions and at most 100 samples of a class
    are fitted. ``probe.few`` is fitted on the last features of only ``few`` samples of every forgotten
    class and of ``few_others`` of every other one, and is the mean over ``few_draws`` draws of the few: a
    class that is still there needs few examples. It is measured in class scope alone.

    Measures ``probe.accuracy`` and, with a reference, ``probe.gap``: the accuracy minus that of a probe
    fitted in the same way on the retrained model's features; likewise for each depth and for the few.

    Traps: the retrained model's features tell a class that it never saw well above chance: only the gap
    counts. Shallow layers tell classes apart in any model, so a gap there is small by nature.
    """

    name: Literal["probe"] = "probe"
    per_class: int = Field(default=500, ge=2)
    few: int = Field(default=5, ge=1)
    few_others: int = Field(default=100, ge=2)
    few_draws: int = Field(default=5, ge=1)
    summary: ClassVar[str] = (
        "accuracy of a new linear head on frozen features, deep and shallow, with many labels and with few, "
        "against the retrained model's"
    )
    uses: ClassVar[frozenset[Observation]] = frozenset({"reference", "depths"})
    neutral: ClassVar[str] = "a gap of 0"
    above: ClassVar[str] = "under-forgotten: suppressed in the head alone"
    below: ClassVar[str] = "over-forgotten"
    words: ClassVar[Mapping[str, Words]] = {
        "probe.accuracy": Words(
            label="Recoverable knowledge",
            explanation="How often a new last layer, put on the model’s inner representation, finds the "
            "right class of the forgotten data: what the model still knows but does not say.",
            unit="fraction",
            title="What the inner representation still knows",
        ),
        "probe.gap": Words(
            label="Recoverable knowledge, beyond the retrained model’s",
            explanation="The same, minus what the retrained model’s representation gives away.",
            unit="difference",
        ),
        **_DEPTH_WORDS,
        "probe.few.accuracy": Words(
            label="Recoverable knowledge, from a few examples",
            explanation="How often a new last layer that was shown only a few forgotten examples finds the "
            "right class of others.",
            unit="fraction",
        ),
        "probe.few.gap": Words(
            label="Recoverable knowledge, from a few examples, beyond the retrained model’s",
            explanation="The same, minus what the retrained model gives away.",
            unit="difference",
        ),
    }
    headings: ClassVar[Mapping[str, str]] = {
        "probe.accuracy": "linear probe",
    }

    def measure(self, subject: Subject, *, seed: int) -> tuple[Measurement, ...]:
        """Measure one model.

        Args:
            subject: The model's outputs, and the reference's; what both compute below the last layer.
            seed: For the draws of training samples.

        Returns:
            The measurements.

        Raises:
            UsageError: If a view that the probe needs is empty or absent.
        """
        depths, retrained = subject.depths, subject.retrained()
        mine = dict(self._probes(subject, depths and depths.model, seed))
        theirs: _Estimates = {}
        if retrained is not None:
            theirs = dict(self._probes(retrained, depths and depths.reference, seed))
        return tuple(_beside(mine, theirs))

    def _probes(
        self, subject: Subject, inner: InnerFeatures | None, seed: int
    ) -> Iterator[tuple[str, intervals.Estimate]]:
        """Yield the accuracy of every probe of one model, by the measurements' prefix."""
        yield "probe", self._last(subject, seed)
        if subject.forget_classes:
            yield "probe.few", self._few(subject, seed)
        if inner is not None:
            for depth, (fitted, judged) in enumerate(zip(inner.fitted, inner.judged, strict=True), 1):
                shown = LabelledFeatures(fitted, inner.fitted_labels)
                head = shown.fitted(np.arange(len(shown.labels)))
                right = right_answers(head, judged, inner.judged_labels)
                yield f"probe.depth_{depth}", intervals.proportion(right, len(judged))

    def _last(self, subject: Subject, seed: int) -> intervals.Estimate:
        """Probe the last features."""
        shown = subject.view("train", "retain")
        judged = subject.view("train", "forget")
        if subject.forget_classes:
            shown, judged = shown.joined(judged), subject.held_out()
        found = LabelledFeatures(shown.features, shown.labels)
        head = found.fitted(found.drawn(self.per_class, np.random.default_rng(seed)))
        return intervals.proportion(right_answers(head, judged.features, judged.labels), len(judged))

    def _few(self, subject: Subject, seed: int) -> intervals.Estimate:
        """Probe the last features with only a few samples of the forgotten classes, several times."""
        shown, judged = (
            subject.view("train", "retain").joined(subject.view("train", "forget")),
            subject.held_out(),
        )
        found, rng = LabelledFeatures(shown.features, shown.labels), np.random.default_rng(seed)
        forgotten = np.isin(found.labels, subject.forget_classes)
        others = [row for row in found.drawn(self.few_others, rng) if not forgotten[row]]
        right = 0
        for _ in range(self.few_draws):
            few = [row for row in found.drawn(self.few, rng) if forgotten[row]]
            head = found.fitted(np.array(others + few))
            right += right_answers(head, judged.features, judged.labels)
        return intervals.proportion(right / self.few_draws, len(judged))


def _beside(mine: _Estimates, theirs: _Estimates) -> Iterator[Measurement]:
    """Yield every accuracy, and how far it is above the retrained model's."""
    for name, accuracy in mine.items():
        yield accuracy.named(f"{name}.accuracy")
        if name in theirs:
            yield intervals.difference(accuracy, theirs[name]).named(f"{name}.gap")
