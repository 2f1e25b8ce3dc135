"""Counts of what models say of many samples, from which a report's figures are drawn."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from unlearn_core.metric import Subject
from unlearn_core.metrics.membership import loss_scores
from unlearn_core.records.report import BINS, RATES, Picture, Pictures
from unlearn_core.roc import roc_curve, tpr_at_fpr

_MOST_CLASSES = 40
"""With more classes than this, a confusion table would be large and unreadable."""


def take_pictures(subjects: Mapping[str, Subject], *, seed: int) -> Pictures:
    """Count what each model says; for a request for very few samples, the counts cover only those few.

    Args:
        subjects: The models by name, with what they say of every view.
        seed: The membership attack's seed.

    Returns:
        One picture per model.
    """
    return Pictures(models={name: _picture(subject, seed) for name, subject in subjects.items()})


def _picture(subject: Subject, seed: int) -> Picture:
    members, others = loss_scores(subject, seed=seed)
    curve = roc_curve(members, others) if len(members) else None
    relearned = None if subject.relearning is None else subject.relearning.model
    return Picture(
        forgotten=_histogram(subject.view("train", "forget").confidences()),
        unseen=_histogram(subject.unseen_confidences()),
        attack=tuple(tpr_at_fpr(curve, rate) if curve else 0.0 for rate in np.linspace(0, 1, RATES)),
        members=len(members),
        confusion=_confusion(subject) if subject.classes <= _MOST_CLASSES else (),
        relearn_steps=() if relearned is None else relearned.steps,
        relearn_accuracy=() if relearned is None else relearned.accuracy,
    )


def _histogram(confidences: NDArray[np.float64]) -> tuple[int, ...]:
    """Count samples by the probability of their true class."""
    counts, _ = np.histogram(confidences, bins=BINS, range=(0, 1))
    return tuple(counts.tolist())


def _confusion(subject: Subject) -> tuple[tuple[int, ...], ...]:
    """Count the test samples by true and predicted class, ``[true][predicted]``."""
    counts = np.zeros((subject.classes, subject.classes), dtype=np.int64)
    for (part, _side), outputs in subject.views.items():
        if part == "test":
            np.add.at(counts, (outputs.labels.numpy(), outputs.logits.argmax(1).numpy()), 1)
    return tuple(tuple(row) for row in counts.tolist())
