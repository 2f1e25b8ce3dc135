"""Methods on the current request, compared with the original and the retrained model."""

from collections.abc import Collection
from typing import Any

from flows.stages.climbing import Baseline, judge_model, try_method
from flows.stages.steps import Steps
from flows.stages.unlearn import prepare_ladder
from tasks.checkout.checkout import Checkout
from tasks.checkout.files import read_record
from tasks.computing.configured import configured_methods
from tasks.computing.costs import read_cost
from tasks.computing.materials import read_split
from tasks.tracking.auditing import log_comparison
from unlearn_core.errors import UnlearningError
from unlearn_core.records.deletion import DeletionRecord, Rung
from unlearn_core.records.evaluation import Evaluation
from unlearn_core.records.policy import Verdict

_Row = dict[str, Any]

# For comparison only: these attempts are logged beside the deletion, never as part of it.
COMPARING = Steps(log_rung=log_comparison)


def compare(checkout: Checkout, only: Collection[str] | None = None) -> dict[str, Any]:
    """Run the configured methods that support the request's scope; reuse what the deletion tried.

    Args:
        checkout: The checkout; its request has been served.
        only: The names of the methods to run; None runs all.

    Returns:
        Rows under ``original``, ``retrained`` and ``methods``, as JSON values.
    """
    baseline = prepare_ladder(checkout, COMPARING)
    tried = {rung.unlearning.name: rung for rung in read_record(checkout.deletion, DeletionRecord).rungs}
    methods: dict[str, _Row] = {}
    scope = read_split(checkout).method_scope
    for method in configured_methods(checkout):
        if scope not in method.scopes or (only is not None and method.name not in only):
            continue
        try:
            rung = tried.get(method.name) or try_method(baseline, method, COMPARING)
        except UnlearningError as error:
            methods[method.name] = {"verdict": "failed", "why": str(error)}
            continue
        methods[method.name] = _rung_row(baseline, rung)
    original = judge_model(baseline, baseline.original)
    return {
        "original": row_of(baseline, baseline.original, verdict=original),
        "retrained": _retrained_row(baseline),
        "methods": methods,
    }


def _rung_row(baseline: Baseline, rung: Rung) -> _Row:
    return {**row_of(baseline, rung.evaluation, verdict=rung.verdict), "why": rung.why}


def _retrained_row(baseline: Baseline) -> _Row | None:
    return row_of(baseline, baseline.retrained[0]) if baseline.retrained else None


def row_of(baseline: Baseline, evaluation: Evaluation, *, verdict: Verdict | None = None) -> _Row:
    """Return what a comparison shows of one model, accuracies in per cent.

    Args:
        baseline: What it is compared with.
        evaluation: What was measured on it.
        verdict: The gate's; None for the model that others are compared with.

    Returns:
        The row; ``behaves`` and ``removed`` are the verdicts on the two claims.
    """
    cost = read_cost(baseline.checkout, evaluation.model)
    return {
        "forget_test_accuracy": _percent(evaluation, "accuracy.test.forget"),
        "retain_test_accuracy": _percent(evaluation, "accuracy.test.retain"),
        "forget_train_accuracy": _percent(evaluation, "accuracy.train.forget"),
        "mia_auc": evaluation.find("mia.loss_auc"),
        "probe_gap": evaluation.find("probe.gap"),
        "relearn_ratio": evaluation.find("relearn.ratio"),
        "seconds": cost and cost.seconds,
        "peak_mib": cost and cost.peak_memory_mib,
        "verdict": "reference" if verdict is None else verdict.verdict,
        "behaves": verdict and verdict.verdict,
        "removed": verdict and verdict.removal,
    }


def _percent(evaluation: Evaluation, name: str) -> float | None:
    value = evaluation.find(name)
    return None if value is None else 100 * value
