"""MLflow's nested runs: one per attempt at a deletion, with settings, numbers, curves and figures."""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from tasks.checkout.csv_tables import as_csv
from tasks.checkout.tags import Tag
from tasks.checkout.texts import in_markdown
from tasks.report.measurements import in_plain_words
from tasks.report.outputs import attempt_name
from tasks.tracking.runs import Run, end_run, find_or_start
from unlearn_core.records.base import Record, Sha256, canonical_json, sha256
from unlearn_core.records.deletion import Rung
from unlearn_core.records.drift import Drift, DriftSummary
from unlearn_core.records.evaluation import Cost, Evaluation
from unlearn_core.records.policy import NOT_JUDGED
from unlearn_core.records.result import Coverage, UnlearningRecord
from unlearn_core.records.tuning import TuningRecord

if TYPE_CHECKING:
    from matplotlib.figure import Figure


# The limits of MLflow's stores: characters of a parameter, and entries per call.
_PARAM_LENGTH, _METRICS_PER_CALL, _PARAMS_PER_CALL = 6000, 1000, 100


def log_attempt(
    parent: Run,
    rung: Rung,
    *,
    cost: Cost | None = None,
    figures: "Mapping[str, Figure] | None" = None,
) -> Run:
    """Log one attempt as a run nested in the deletion's; logging it twice changes nothing.

    Args:
        parent: The deletion's run.
        rung: The attempt: its hyper-parameters become params, its curves and measurements metrics, and how
            it ended becomes tags.
        cost: What it cost; becomes metrics. It is not part of the attempt's identity.
        figures: Figures by name; each becomes ``figures/NAME.png``.

    Returns:
        The attempt's run, which has ended: ``FAILED`` if its model was not accepted.
    """
    record, evaluation, verdict = rung.unlearning, rung.evaluation, rung.verdict
    key = sha256(canonical_json([parent.id, record.digest, evaluation.digest, verdict.digest]))
    tags = _attempt_tags(parent, key, rung)
    run = find_or_start(parent.tracking, Tag.ATTEMPT_KEY, name=attempt_name(rung), tags=tags)
    client = parent.tracking.client
    info = client.get_run(run.id).info
    if info.status in ("FINISHED", "FAILED"):
        return run
    # Stamped with the start of the run, so that entries logged again after a crash are the same entries.
    log_metrics(run, _metrics(record, evaluation, cost), timestamp=info.start_time)
    log_params(run, _flattened({**record.method, "seed": record.seed}))
    for name, written in {"unlearning": record, "evaluation": evaluation, "verdict": verdict}.items():
        _log_record(run, written, f"{name}.json")
    _log_record(run, record.coverage, "coverage.json")
    client.log_text(run.id, coverage_table(record.coverage), "coverage.csv")
    for name, figure in (figures or {}).items():
        client.log_figure(run.id, figure, f"figures/{name}.png")
    end_run(run, "FINISHED" if rung.accepted else "FAILED")
    return run


def log_evaluation(run: Run, evaluation: Evaluation, *, role: str, headlines: Collection[str]) -> None:
    """Log the evaluation of one of a deletion's models; logging it twice changes nothing.

    Args:
        run: The deletion's run.
        evaluation: All measurements; they become ``evaluations/ROLE.json``.
        role: What the model is to the deletion, for example ``original`` or ``retrained``; the prefix of
            each metric's name.
        headlines: The measurements that become metrics of the run.
    """
    start = run.tracking.client.get_run(run.id).info.start_time
    shown = (entry for entry in evaluation.measurements if entry.name in headlines)
    metrics = ((f"{role}.{entry.name}", entry.value, 0) for entry in shown)
    log_metrics(run, metrics, timestamp=start)
    _log_record(run, evaluation, f"evaluations/{role}.json")


def log_drift(run: Run, drift: Drift) -> None:
    """Log how far a deletion's model has drifted; logging it twice changes nothing.

    Args:
        run: The deletion's run.
        drift: Becomes metrics ``drift.NAME`` and ``drift.json``.
    """
    start = run.tracking.client.get_run(run.id).info.start_time
    values = DriftSummary.of(drift).model_dump(exclude={"origin"}, exclude_none=True)
    log_metrics(run, ((f"drift.{name}", float(value), 0) for name, value in values.items()), timestamp=start)
    _log_record(run, drift, "drift.json")


def log_tuning(run: Run, record: TuningRecord) -> None:
    """Log a search for a method's hyper-parameters, replacing an earlier one for the same method.

    Args:
        run: The deletion's run.
        record: Becomes ``tuning/METHOD.json``, and its numbers metrics ``tuning.METHOD.NAME``.
    """
    figures = {
        "trials": len(record.trials),
        "seconds": record.cost.seconds,
        "samples_seen": record.cost.samples_seen,
        "untuned": record.untuned,
        "score": record.score,
    }
    for name, value in figures.items():
        if value is not None:
            run.tracking.client.log_metric(run.id, f"tuning.{record.method}.{name}", float(value))
    _log_record(run, record, f"tuning/{record.method}.json")


def coverage_table(coverage: Coverage) -> str:
    """Write a coverage as CSV, which MLflow shows as a table: a line per parameter or buffer that moved.

    Args:
        coverage: How much of a model a method reached.

    Returns:
        CSV with a header.
    """
    header = ("parameter", "treatment", "elements", "of them frozen", "share of the model in %", "reason")
    entries = (
        (
            entry.parameter,
            entry.treatment,
            entry.elements,
            entry.elements if entry.treatment == "frozen" else entry.frozen,
            f"{100 * entry.share:.2f}",
            entry.reason,
        )
        for entry in coverage.parameters
    )
    return as_csv(header, (*entries, *((name, "moved", "", "", "", "buffer") for name in coverage.buffers)))


def _attempt_tags(parent: Run, key: Sha256, rung: Rung) -> dict[str, str]:
    record, verdict = rung.unlearning, rung.verdict
    return {
        Tag.NOTE: f"One attempt, by the method `{record.name}`.\n\n{_reasons(rung)}",
        Tag.KIND: "attempt",
        Tag.METHOD: record.name,
        Tag.VERDICT: rung.ending,
        Tag.REMOVED: verdict.removal or NOT_JUDGED,
        Tag.SHOWN: rung.in_words,
        Tag.ACCEPTED: "yes" if rung.accepted else "no",
        Tag.LEVEL: verdict.level,
        Tag.REASON: rung.why,
        Tag.PARENT_WEIGHTS: record.parent,
        Tag.WEIGHTS: record.weights,
        Tag.ATTEMPT_KEY: key,
        Tag.POLICY: verdict.policy,
        Tag.PARENT_RUN: parent.id,
    }


def _reasons(rung: Rung) -> str:
    """Return why the model was accepted or not, and why each claim got its verdict."""
    verdict = rung.verdict
    told = {"Accepted" if rung.accepted else "Not accepted": rung.why, "Behaves": verdict.reason}
    if verdict.removed is not None:
        told["Removed"] = verdict.removed.reason
    return "\n\n".join(f"**{what}.** {in_markdown(in_plain_words(why))}" for what, why in told.items())


def _measured(evaluation: Evaluation) -> Iterator[tuple[str, float, int]]:
    """Yield every measurement, and the bounds of its interval, as name, value and step."""
    for entry in evaluation.measurements:
        bounds = {entry.name: entry.value, f"{entry.name}.low": entry.low, f"{entry.name}.high": entry.high}
        yield from ((name, value, 0) for name, value in bounds.items() if value is not None)


def _metrics(
    record: UnlearningRecord, evaluation: Evaluation, cost: Cost | None
) -> Iterator[tuple[str, float, int]]:
    """Yield every number of an attempt as name, value and step."""
    yield from _measured(evaluation)
    for curve in record.curves:
        yield from ((f"curve.{curve.name}", value, step) for step, value in enumerate(curve.values))
    for treatment in ("projected", "trained", "frozen", "unsupported"):
        yield f"coverage.{treatment}", record.coverage.share(treatment), 0
    for name, value in (cost.model_dump() if cost else {}).items():
        yield f"cost.{name}", float(value), 0


def log_metrics(run: Run, metrics: Iterable[tuple[str, float, int]], *, timestamp: int) -> None:
    """Log numbers to a run, given as name, value and step; the time is in milliseconds."""
    from mlflow.entities import Metric

    entries = [Metric(_legal(name), value, timestamp, step) for name, value, step in metrics]
    for start in range(0, len(entries), _METRICS_PER_CALL):
        run.tracking.client.log_batch(run.id, metrics=entries[start : start + _METRICS_PER_CALL])


def log_params(run: Run, params: Mapping[str, str]) -> None:
    """Log settings to a run; a long one is cut to the store's limit."""
    from mlflow.entities import Param

    entries = [Param(_legal(name), value[:_PARAM_LENGTH]) for name, value in params.items()]
    for start in range(0, len(entries), _PARAMS_PER_CALL):
        run.tracking.client.log_batch(run.id, params=entries[start : start + _PARAMS_PER_CALL])


def _log_record(run: Run, record: Record, name: str) -> None:
    """Log a record in its canonical bytes, so that its digest can be checked there too."""
    run.tracking.client.log_text(run.id, record.canonical().decode(), name)


def _flattened(value: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Return nested settings as dotted names with JSON values; text stays as it is."""
    flat: dict[str, str] = {}
    for name, entry in value.items():
        if isinstance(entry, Mapping) and entry:
            flat |= _flattened(entry, f"{prefix}{name}.")
        else:
            flat[prefix + name] = entry if isinstance(entry, str) else json.dumps(entry)
    return flat


def _legal(name: str) -> str:
    """Replace what MLflow does not allow in a name."""
    return "".join(char if char.isalnum() or char in "_-. /" else "_" for char in name)
