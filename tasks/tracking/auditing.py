"""What an attempt records in MLflow for later readers: numbers, figures, reasons."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tasks.checkout.checkout import Checkout
from tasks.checkout.environment import git_commit
from tasks.checkout.files import write_record
from tasks.checkout.tags import Tag
from tasks.computing.costs import read_cost
from tasks.computing.materials import read_split
from tasks.data.datasets import read_card
from tasks.measuring.evaluation import models_side_by_side
from tasks.report.attempt_figures import draw_coverage, draw_curves
from tasks.report.model_figures import draw_class_accuracy, draw_confidences, draw_roc
from tasks.report.outputs import HEADLINES, evaluations_by_model, refusal_markdown, run_name
from tasks.tracking.attempts import log_attempt, log_drift, log_evaluation
from tasks.tracking.runs import (
    Run,
    comparison_run,
    deletion_run,
    end_run,
    log_documents,
    set_tags,
    tracking_of,
)
from unlearn_core.metric import Subject
from unlearn_core.metrics.membership import loss_scores
from unlearn_core.records.deletion import DeletionRecord, Rung
from unlearn_core.records.params import RunParams

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def log_rung(checkout: Checkout, rung: Rung, run: RunParams, reference: Path | None) -> None:
    """Log one attempt of the current deletion to its run.

    Args:
        checkout: The checkout; it still holds the candidate.
        rung: The attempt.
        run: Base seed and threads.
        reference: The retrained model's folder, or None.
    """
    _log(open_deletion(checkout), checkout, rung, run, reference)


def log_comparison(checkout: Checkout, rung: Rung, run: RunParams, reference: Path | None) -> None:
    """Log one attempt that is compared but not served to a separate run beside the deletion's."""
    split = read_split(checkout)
    parent = comparison_run(tracking_of(checkout), request_id=split.request, key=split.deletion_key)
    _log(parent, checkout, rung, run, reference)
    end_run(parent, "FINISHED")


def log_ladder(checkout: Checkout, record: DeletionRecord) -> None:
    """Log the whole ladder to the deletion's run, which fails if no model was accepted.

    Args:
        checkout: The checkout.
        record: Every rung, and the models that they were compared with.
    """
    run = open_deletion(checkout)
    for role, evaluation in evaluations_by_model(record).items():
        log_evaluation(run, evaluation, role=role, headlines=HEADLINES)
    if record.drift is not None:
        log_drift(run, record.drift)
    if record.accepted is None:
        path = checkout.failure(record.request)
        write_record(path, record)
        log_documents(run, path, artifact_path="evidence")
        set_tags(run, _refusal_tags(checkout, record))
        end_run(run, "FAILED")


def _refusal_tags(checkout: Checkout, record: DeletionRecord) -> dict[str, str]:
    """Return the name, the description and the tags of a run that ended without an accepted model."""
    last = record.rungs[-1] if record.rungs else None
    verdict = "none" if last is None else last.ending
    return {
        Tag.RUN_NAME: run_name(record),
        Tag.NOTE: refusal_markdown(record),
        Tag.VERDICT: verdict,
        Tag.METHOD: record.tried[-1] if record.tried else "none",
        Tag.COMMIT: git_commit(checkout.root) or "none",
    }


def open_deletion(checkout: Checkout) -> Run:
    """Find or start the run of the current deletion."""
    split = read_split(checkout)
    return deletion_run(tracking_of(checkout), request_id=split.request, key=split.deletion_key)


def _log(parent: Run, checkout: Checkout, rung: Rung, run: RunParams, reference: Path | None) -> None:
    log_attempt(
        parent,
        rung,
        cost=read_cost(checkout, rung.unlearning.weights),
        figures=_figures(checkout, rung, run, reference),
    )


def _figures(checkout: Checkout, rung: Rung, run: RunParams, reference: Path | None) -> "dict[str, Figure]":
    candidate = checkout.attempt(rung.unlearning.name)
    subjects = models_side_by_side(checkout, candidate, run, reference)
    classes, seed = read_card(checkout.dataset).classes, rung.evaluation.seed
    accuracies = {model: _per_class(subject, len(classes)) for model, subject in subjects.items()}
    figures = {
        "accuracy_per_class": draw_class_accuracy(
            accuracies, classes, forgotten=read_split(checkout).classes
        ),
        "confidences": draw_confidences(
            {model: subject.view("train", "forget").confidences() for model, subject in subjects.items()},
            {model: subject.unseen_confidences() for model, subject in subjects.items()},
        ),
        "coverage": draw_coverage(rung.unlearning.coverage),
    }
    scores = {model: loss_scores(subject, seed=seed) for model, subject in subjects.items()}
    if all(len(members) for members, _ in scores.values()):
        figures["attack_roc"] = draw_roc(scores)
    if rung.unlearning.curves:
        figures["curves"] = draw_curves(rung.unlearning.curves)
    return figures


def _per_class(subject: Subject, classes: int) -> list[float]:
    """Return the test accuracy of each class; zero if it has no test sample."""
    parts = [outputs for (part, _side), outputs in subject.views.items() if part == "test"]
    if not parts:
        return [0.0] * classes
    labels = np.concatenate([outputs.labels.numpy() for outputs in parts])
    correct = np.concatenate([outputs.correct() for outputs in parts])
    return [
        float(correct[labels == label].mean()) if (labels == label).any() else 0.0 for label in range(classes)
    ]
