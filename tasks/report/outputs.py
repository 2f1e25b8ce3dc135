"""The folder ``reports``: records, metrics and plots that DVC pins, and a deletion in words."""

import json
from pathlib import Path

import numpy as np

from tasks.checkout.checkout import Checkout
from tasks.checkout.csv_tables import as_csv
from tasks.checkout.files import write_atomically, write_record
from tasks.checkout.texts import in_markdown
from tasks.measuring.evaluation import models_side_by_side
from tasks.report.headline import STATE_MARKS, state_of
from tasks.report.measurements import Vocabulary, in_brief
from unlearn_core.histograms import take_pictures
from unlearn_core.records.deletion import DeletionRecord, Rung
from unlearn_core.records.drift import Drift, DriftSummary
from unlearn_core.records.earlier import AskedAgain
from unlearn_core.records.evaluation import Evaluation
from unlearn_core.records.params import RunParams
from unlearn_core.records.report import RATES, Pictures

_MODELS = ("original", "unlearned", "retrained")

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
"""The headline measurements."""

# How many characters of a reason a table shows; the records hold all of it.
_WHY_LENGTH = 400


def write_reports(checkout: Checkout, record: DeletionRecord, run: RunParams, reference: Path | None) -> None:
    """Write the record of a deletion, its metrics and its plots.

    Args:
        checkout: The checkout; it holds the accepted model.
        record: Every rung of the ladder.
        run: Base seed and threads.
        reference: The retrained model's folder, or None.
    """
    write_record(checkout.deletion, record)
    write_atomically(checkout.reports / "metrics.json", _metrics(record))
    subjects = models_side_by_side(checkout, checkout.unlearned, run, reference)
    pictures = take_pictures(subjects, seed=record.original.seed)
    write_record(checkout.pictures, pictures)
    plots = checkout.reports / "plots"
    write_atomically(plots / "accuracy_per_class.csv", _accuracy_per_class(record).encode())
    write_atomically(plots / "attack_roc.csv", _attack_roc(pictures).encode())


def evaluations_by_model(record: DeletionRecord) -> dict[str, Evaluation]:
    """Return the evaluations of the original, the accepted and, if there is one, the retrained model."""
    return record.evaluations(record.accepted)


def headlines(evaluation: Evaluation) -> dict[str, float]:
    """Return the headline measurements that were taken."""
    return {name: found.value for name in HEADLINES if (found := evaluation.get(name)) is not None}


def _metrics(record: DeletionRecord) -> bytes:
    values = {model: headlines(evaluation) for model, evaluation in evaluations_by_model(record).items()}
    if record.drift is not None:
        values["drift"] = DriftSummary.of(record.drift).model_dump(exclude={"origin"}, exclude_none=True)
    return (json.dumps(values, indent=2) + "\n").encode()


def _accuracy_per_class(record: DeletionRecord) -> str:
    """Return a row per class and a column per model; empty if a model or a test sample is missing."""
    evaluations = evaluations_by_model(record)
    prefix = "accuracy.test.class."
    names = [entry.name for entry in record.original.measurements if entry.name.startswith(prefix)]
    rows = []
    for name in names:
        found = (evaluations[model].get(name) if model in evaluations else None for model in _MODELS)
        rows.append((name.removeprefix(prefix), *(None if one is None else one.value for one in found)))
    return as_csv(("class", *_MODELS), rows)


def _attack_roc(pictures: Pictures) -> str:
    """Return a row per false-positive rate and a column per model with its true-positive rate."""
    there = {name: one for name, one in pictures.models.items() if one.members}
    columns = [there[model].attack if model in there else (None,) * RATES for model in _MODELS]
    rates = np.linspace(0, 1, RATES).tolist()
    return as_csv(("false_positive_rate", *_MODELS), zip(rates, *columns, strict=True))


def drift_in_words(drift: Drift) -> str:
    """Describe how far the model has drifted from the last one that was trained in full."""
    if not drift.requests:
        return "### Drift\n\nThe model was trained in full: it has no drift, and the drift budget is reset."
    rows = {
        "deletions since training in full": str(drift.requests),
        "weight change, relative to their norm": f"{drift.weight_distance:.2%}",
        "largest weight change of a layer": f"{drift.layer_weight_distance:.2%}",
        "output energy retained, in every layer": f"{drift.retained_energy:.2%}",
        "error of second moments, if carried": f"{drift.staleness:.2%}",
        "accuracy on retained audit samples": _accuracies(drift),
    }
    lines = (f"| {name} | {value} |" for name, value in rows.items())
    told = (
        "### Drift\n\nThe last model that was trained in full is "
        f"`{drift.origin}`; successive deletions move further and further away from it."
    )
    return "\n".join([told, "", "| drift | so far |", "|:---|---:|", *lines])


def _accuracies(drift: Drift) -> str:
    """Write the accuracy now and at the origin; where one class is left, neither says anything."""
    if drift.accuracy is None or drift.accuracy_at_origin is None:
        return "not measured: one class is left, or no sample"
    return f"{drift.accuracy:.2%} (was {drift.accuracy_at_origin:.2%})"


def earlier_in_words(asked: tuple[AskedAgain, ...]) -> str:
    """Describe what a model knows of what earlier requests asked to forget."""
    lines = (f"| `{one.request}` | {_cell(one.in_words)} |" for one in asked)
    return "\n".join(["### Earlier requests, asked again", "", "| request | result |", "|:---|:---|", *lines])


def run_name(record: DeletionRecord) -> str:
    """Return the name of a finished deletion's run: the verdict first, since pages cut a name's end."""
    if (accepted := record.accepted) is None:
        return f"{STATE_MARKS['bad']} nothing accepted · {record.request}"
    return f"{_marked(accepted)} · {record.request} · {accepted.unlearning.name}"


def attempt_name(rung: Rung) -> str:
    """Return the name of an attempt's run: the verdict and the method."""
    return f"{_marked(rung)} · {rung.unlearning.name}"


def _marked(rung: Rung) -> str:
    return f"{STATE_MARKS[state_of(rung)]} {rung.in_words}"


def tried_table(record: DeletionRecord, others: Vocabulary | None = None) -> str:
    """Return a Markdown table of every method of a ladder, with its verdict and the reason.

    Args:
        record: The ladder.
        others: The words of other packages' metrics.

    Returns:
        Markdown; methods that were left out for one reason share a line.
    """
    rows = [(r.unlearning.name, r.in_words, r.why) for r in record.rungs]
    rows += [(entry.method, "failed", entry.why) for entry in record.failed]
    rows += [(", ".join(names), "not tried", why) for why, names in record.not_tried.items()]
    lines = (
        f"| {in_markdown(method)} | {verdict} | {_cell(in_brief(why, others))} |"
        for method, verdict, why in rows
    )
    return "\n".join(["| method | verdict | why |", "|---|---|---|", *lines])


def refusal_markdown(record: DeletionRecord) -> str:
    """Report in Markdown that no model was accepted, and why."""
    told = "**No model was accepted.** Nothing was released, and the model in use stays as it was."
    return f"{told}\n\n{tried_table(record)}"


def _cell(text: str) -> str:
    """Fit a text into a table cell."""
    shown = text if len(text) <= _WHY_LENGTH else text[:_WHY_LENGTH].rsplit(" ", 1)[0] + " …"
    return in_markdown(shown)
