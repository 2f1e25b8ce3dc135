"""The folder ``reports``: records, metrics and plots that DVC pins, and a deletion in words."""

import json
from pathlib import Path

import numpy as np

from tasks.evaluation import models_side_by_side
from tasks.files import as_csv, write_atomically, write_record
from tasks.layout import Layout
from tasks.pictures import take_pictures
from unlearn_core.records.deletion import DeletionRecord, Released
from unlearn_core.records.drift import Drift, DriftSummary
from unlearn_core.records.evaluation import Evaluation
from unlearn_core.records.params import RunParams
from unlearn_core.records.report import RATES, Pictures

MODELS = ("original", "unlearned", "retrained")

HEADLINES = (
    "accuracy.test.forget",
    "accuracy.test.retain",
    "accuracy.audit.forget",
    "accuracy.audit.retain",
    "accuracy.train.forget",
    "mia.loss_auc",
    "probe.gap",
    "js.test.retain",
)
"""The measurements that a person looks at first."""


def write_reports(layout: Layout, record: DeletionRecord, run: RunParams, reference: Path | None) -> None:
    """Write the record of a deletion, its metrics and its plots.

    Args:
        layout: The checkout; the accepted model is in its place.
        record: Every rung of the ladder.
        run: Base seed and threads.
        reference: The retrained model's folder, or None.
    """
    write_record(layout.deletion, record)
    write_atomically(layout.reports / "metrics.json", _metrics(record))
    subjects = models_side_by_side(layout, layout.unlearned, run, reference)
    pictures = take_pictures(subjects, seed=record.original.seed)
    write_record(layout.pictures, pictures)
    plots = layout.reports / "plots"
    write_atomically(plots / "accuracy_per_class.csv", _accuracy_per_class(record).encode())
    write_atomically(plots / "attack_roc.csv", _attack_roc(pictures).encode())


def evaluations_by_model(record: DeletionRecord) -> dict[str, Evaluation]:
    """Return the original's evaluation, the accepted model's, and the retrained one's if there is one."""
    return record.evaluations(record.accepted)


def headlines(evaluation: Evaluation) -> dict[str, float]:
    """Return the measurements that a person looks at first, as far as they were taken."""
    return {name: found.value for name in HEADLINES if (found := evaluation.get(name)) is not None}


def _metrics(record: DeletionRecord) -> bytes:
    values = {model: headlines(evaluation) for model, evaluation in evaluations_by_model(record).items()}
    if record.drift is not None:
        values["drift"] = DriftSummary.of(record.drift).model_dump(exclude={"origin"}, exclude_none=True)
    return (json.dumps(values, indent=2) + "\n").encode()


def _accuracy_per_class(record: DeletionRecord) -> str:
    """Return a row per class and a column per model; empty where a model or a test sample is missing."""
    evaluations = evaluations_by_model(record)
    prefix = "accuracy.test.class."
    names = [entry.name for entry in record.original.measurements if entry.name.startswith(prefix)]
    rows = []
    for name in names:
        found = (evaluations[model].get(name) if model in evaluations else None for model in MODELS)
        rows.append((name.removeprefix(prefix), *(None if one is None else one.value for one in found)))
    return as_csv(("class", *MODELS), rows)


def _attack_roc(pictures: Pictures) -> str:
    """Return a row per false-positive rate and a column per model with its true-positive rate."""
    there = pictures.models
    columns = [there[model].attack if model in there else (None,) * RATES for model in MODELS]
    rates = np.linspace(0, 1, RATES).tolist()
    return as_csv(("false_positive_rate", *MODELS), zip(rates, *columns, strict=True))


def _drift_in_words(drift: Drift) -> str:
    """Tell how far the model has come from the last one that was trained in full."""
    if not drift.requests:
        return "The model was trained in full: it has no drift, and the drift budget starts anew."
    rows = {
        "deletions since training in full": str(drift.requests),
        "weights moved, of their norm": f"{drift.weight_distance:.2%}",
        "at most, in one layer": f"{drift.layer_weight_distance:.2%}",
        "output energy retained, in every layer": f"{drift.retained_energy:.2%}",
        "second moments off, if carried": f"{drift.staleness:.2%}",
        "accuracy on retained audit samples": f"{drift.accuracy:.2%} (was {drift.accuracy_at_origin:.2%})",
    }
    lines = (f"| {name} | {value} |" for name, value in rows.items())
    return "\n".join([f"| drift since `{drift.origin}` | |", "|---|---:|", *lines])


def deletion_markdown(record: DeletionRecord, *released: Released) -> str:
    """Tell a deletion in Markdown: the verdict, the table of models, what was tried and what was not.

    Args:
        record: Every rung of the ladder.
        released: What was released: of a group, for each of its members.

    Returns:
        Markdown.
    """
    outcome, shared = released[0].outcome, released[0]
    evaluations = evaluations_by_model(record)
    lines = [
        f"# Deletion `{record.request}`: {outcome.verdict.replace('_', '-')}",
        "",
        f"**{outcome.method}** made the model that is registered as `{shared.registered_model}` version "
        f"{shared.registered_version}; evidence level {outcome.level}.",
        "",
        f"| measurement | {' | '.join(evaluations)} |",
        f"|---|{'---:|' * len(evaluations)}",
    ]
    for name in HEADLINES:
        values = [found.value if (found := one.get(name)) else None for one in evaluations.values()]
        if any(value is not None for value in values):
            lines.append(f"| {name} | {' | '.join('–' if v is None else f'{v:.4f}' for v in values)} |")
    lines += ["", "| tried | verdict | why |", "|---|---|---|"]
    lines += [f"| {r.unlearning.name} | {r.verdict.verdict} | {r.why} |" for r in record.rungs]
    lines += [f"| {entry.method} | failed | {entry.why} |" for entry in record.failed]
    lines += [f"| {entry.method} | not tried | {entry.why} |" for entry in record.left_out]
    lines += [] if record.drift is None else ["", _drift_in_words(record.drift)]
    lines += [""] if len(released) == 1 else ["", f"{len(released)} requests were served together:", ""]
    mark = "" if len(released) == 1 else "- "
    lines += [
        f"{mark}Certificate `{one.certificate}`, digest `{one.certificate_digest}`." for one in released
    ]
    return "\n".join(lines)
