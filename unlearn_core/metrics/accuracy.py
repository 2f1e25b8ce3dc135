"""Accuracy and loss of every view, and accuracy class by class."""

from collections.abc import Iterator, Mapping
from typing import ClassVar, Literal

import numpy as np

from unlearn_core import intervals
from unlearn_core.errors import UsageError
from unlearn_core.metric import Metric, Part, Subject
from unlearn_core.records.evaluation import Measurement, Unmeasured
from unlearn_core.records.words import Words


class Accuracy(Metric):
    """Share of samples classified right, and mean cross-entropy in nats, every sample weighted equally.

    Measures ``accuracy.{part}.{side}`` and ``loss.{part}.{side}`` of every view, and for the parts in
    ``per_class`` also ``accuracy.{part}.class.{index}`` of every class that has a sample there, both sides
    taken together. Accuracies are fractions with Clopper–Pearson intervals, losses have Student's t
    intervals.

    Where one class is left, a view of it says nothing and is not measured.

    Traps: the retrained model's accuracy on forgotten data is the target, not 0; and a mean over classes
    hides the neighbour of a forgotten class, which is why the test part is also broken down.
    """

    name: Literal["accuracy"] = "accuracy"
    per_class: tuple[Part, ...] = ("test",)
    summary: ClassVar[str] = "accuracy and loss of every view, and accuracy per class"
    neutral: ClassVar[str] = "the retrained model's"
    above: ClassVar[str] = "forgotten data: under-forgotten"
    below: ClassVar[str] = "forgotten data: over-forgotten; retained data: damaged"
    words: ClassVar[Mapping[str, Words]] = {
        "accuracy": Words(
            label="Right answers",
            explanation="How often the model names the right class.",
            unit="fraction",
        ),
        "loss": Words(
            label="Surprise",
            explanation="How surprised the model is by the right answer: 0 is not at all. Data that a "
            "model was trained on surprises it least.",
        ),
    }
    headings: ClassVar[Mapping[str, str]] = {
        "accuracy.train.forget": "forget accuracy",
        "accuracy.test.forget": "forget accuracy, test",
        "accuracy.train.retain": "retain accuracy",
        "accuracy.test.retain": "test accuracy",
    }

    def measure(self, subject: Subject, *, seed: int) -> tuple[Measurement, ...]:  # noqa: ARG002
        """Measure one model.

        Args:
            subject: The model's outputs; the reference is not used.
            seed: Not used: nothing here is random.

        Returns:
            The measurements.

        Raises:
            UsageError: If a view is empty, or there is none.
        """
        if not subject.views:
            raise UsageError("there is no view to measure accuracy on; observe the model on at least one")
        found: list[Measurement] = []
        for view, outputs in subject.telling_views():
            right = intervals.proportion(float(outputs.correct().sum()), len(outputs))
            loss = intervals.mean(outputs.losses(), lowest=0.0, highest=np.inf)
            found += [right.named(f"accuracy.{view}"), loss.named(f"loss.{view}")]
        for part in self.per_class:
            found += _by_class(subject, part)
        return tuple(found)

    def unmeasured(self, subject: Subject) -> tuple[Unmeasured, ...]:
        """Return the quantities of views that say nothing, or do not exist; see ``Metric.unmeasured``."""
        return (*subject.silent_on("accuracy", "loss"), *subject.lacking("accuracy", "loss"))


def _by_class(subject: Subject, part: Part) -> Iterator[Measurement]:
    """Yield the accuracy of every class that occurs in a part."""
    views = [
        outputs
        for (where, _), outputs in subject.views.items()
        if where == part and not subject.says_nothing(outputs)
    ]
    if not views:
        return
    labels = np.concatenate([outputs.labels.numpy() for outputs in views])
    correct = np.concatenate([outputs.correct() for outputs in views])
    for label in np.unique(labels):
        of_class = correct[labels == label]
        yield intervals.proportion(float(of_class.sum()), len(of_class)).named(
            f"accuracy.{part}.class.{label}"
        )
