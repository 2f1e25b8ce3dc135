"""How sure the model is: the detector of forgetting too much."""

from collections.abc import Mapping
from typing import ClassVar, Literal

import numpy as np

from unlearn_core import intervals
from unlearn_core.errors import UsageError
from unlearn_core.metric import Metric, Subject
from unlearn_core.records.evaluation import Measurement, Unmeasured
from unlearn_core.records.words import Words


class Confidence(Metric):
    """Mean probability of the true class and mean entropy of the prediction, of every view.

    A model that never saw a sample is still fairly sure of *some* class, and gives the true one a small
    but ordinary probability. A model pushed away from the sample shows: a true-class probability
    below the retrained model's, or an entropy outside its range, tells an attacker what was removed.
    Measures ``confidence.true_class.{part}.{side}``, in [0, 1], and ``confidence.entropy.{part}.{side}`` in
    nats, with Student's t intervals.

    Where one class is left, a view of it says nothing and is not measured.

    Traps: means hide two kinds of samples that average out; the membership attacks use each sample.
    """

    name: Literal["confidence"] = "confidence"
    summary: ClassVar[str] = "true-class probability and entropy of the predictions"
    neutral: ClassVar[str] = "the retrained model's"
    above: ClassVar[str] = "true class: under-forgotten"
    below: ClassVar[str] = "true class: over-forgotten; entropy outside its range: over-forgotten"
    words: ClassVar[Mapping[str, Words]] = {
        "confidence.true_class": Words(
            label="Confidence in the right answer",
            explanation="The probability that the model gives to the right class, on average.",
            unit="fraction",
            title="Confidence",
        ),
        "confidence.entropy": Words(
            label="Indecision",
            explanation="How evenly the model spreads its bets over all classes: 0 is one certain bet.",
        ),
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
            raise UsageError("there is no view to measure confidence on; observe the model on at least one")
        found: list[Measurement] = []
        for view, outputs in subject.telling_views():
            log_probabilities = outputs.log_probabilities()
            entropies = -(np.exp(log_probabilities) * log_probabilities).sum(1)
            true_class = intervals.mean(outputs.confidences(), lowest=0.0, highest=1.0)
            entropy = intervals.mean(entropies, lowest=0.0, highest=float(np.log(subject.classes)))
            found.append(true_class.named(f"confidence.true_class.{view}"))
            found.append(entropy.named(f"confidence.entropy.{view}"))
        return tuple(found)

    def unmeasured(self, subject: Subject) -> tuple[Unmeasured, ...]:
        """Return the quantities of views that say nothing, or do not exist; see ``Metric.unmeasured``."""
        return (
            *subject.silent_on("confidence.true_class", "confidence.entropy"),
            *subject.lacking("confidence.true_class", "confidence.entropy"),
        )
