"""A linear probe: what the features still know, whatever the head says."""

import warnings
from collections.abc import Mapping
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from unlearn_core import intervals
from unlearn_core.metric import Metric, Observation, Outputs, Subject
from unlearn_core.records.evaluation import Measurement
from unlearn_core.records.words import Words


class Probe(Metric):
    """Freeze the features, fit a new linear head, and see whether it finds what was forgotten.

    The head is a multinomial logistic regression (L2, C = 1) on standardised features of the last
    linear layer, fitted on at most ``per_class`` training samples of every class, each class weighted
    equally. In class scope it is fitted on all training data, forgotten classes included, and scored on the
    held-out ``audit.forget``: suppressing a class in the head alone leaves its score where it was. In sample
    scope it is fitted on the retained training data and scored on the forgotten samples' recorded labels:
    mislabelled samples that the features have memorised score higher than through a retrained model.

    Measures ``probe.accuracy`` and, with a reference, ``probe.gap``: the accuracy minus that of a probe
    fitted in the same way on the retrained model's features.

    Traps: the retrained model's features tell a class that it never saw well above chance: only the gap
    counts.
    """

    name: Literal["probe"] = "probe"
    per_class: int = Field(default=500, ge=2)
    summary: ClassVar[str] = "accuracy of a new linear head on frozen features, against the retrained model's"
    uses: ClassVar[frozenset[Observation]] = frozenset({"reference"})
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
    }
    headings: ClassVar[Mapping[str, str]] = {
        "probe.accuracy": "linear probe",
    }

    def measure(self, subject: Subject, *, seed: int) -> tuple[Measurement, ...]:
        """Measure one model.

        Args:
            subject: The model's outputs, and the reference's.
            seed: For the draw of training samples.

        Returns:
            The measurements.

        Raises:
            UsageError: If a view that the probe needs is empty or absent.
        """
        accuracy = _probe(subject, per_class=self.per_class, seed=seed)
        found = [accuracy.named("probe.accuracy")]
        if (retrained := subject.retrained()) is not None:
            gap = intervals.difference(accuracy, _probe(retrained, per_class=self.per_class, seed=seed))
            found.append(gap.named("probe.gap"))
        return tuple(found)


def _probe(subject: Subject, *, per_class: int, seed: int) -> intervals.Estimate:
    """Fit a probe on one model's features and return its accuracy on what was forgotten."""
    shown = [subject.view("train", "retain")]
    judged = subject.view("train", "forget")
    if subject.forget_classes:
        shown.append(judged)
        judged = subject.view("audit", "forget")
    features = np.concatenate([outputs.features.numpy() for outputs in shown]).astype(np.float64)
    labels = np.concatenate([outputs.labels.numpy() for outputs in shown])
    rows = _drawn(features, labels, per_class, np.random.default_rng(seed))
    head = _fitted(features[rows], labels[rows])
    return _accuracy(head, judged)


def _fitted(features: NDArray[np.float64], labels: NDArray[np.int64]) -> Pipeline:
    """Fit the linear head; one that has not quite converged is good enough to read."""
    head = make_pipeline(StandardScaler(), LogisticRegression(class_weight="balanced", max_iter=500))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return head.fit(features, labels)


def _accuracy(head: Pipeline, judged: Outputs) -> intervals.Estimate:
    """Return how often a fitted head names the recorded label."""
    right = head.predict(judged.features.numpy().astype(np.float64)) == judged.labels.numpy()
    return intervals.proportion(float(right.sum()), len(judged))


def _drawn(
    features: NDArray[np.float64], labels: NDArray[np.int64], per_class: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Draw up to ``per_class`` rows of every class, whatever order they came in."""
    order = np.lexsort((features.sum(1), labels))
    ordered = labels[order]
    rows = [rng.permutation(np.flatnonzero(ordered == label))[:per_class] for label in np.unique(labels)]
    return order[np.concatenate(rows)]
