"""Stage ``unlearn``: the ladder, rung by rung, until a model is accepted."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from flows.stages.process import run_stage
from tasks.checkout.checkout import Checkout
from tasks.checkout.files import copy_folder, write_record
from tasks.checkout.params import read_section
from tasks.checkout.progress import tell
from tasks.computing.checkpoints import read_checkpoint_card
from tasks.computing.configured import configured_methods
from tasks.computing.materials import load_materials, read_split
from tasks.computing.unlearning import Attempted, attempt
from tasks.data.pool import Pool
from tasks.measuring.drift import measure_drift
from tasks.measuring.evaluation import assess
from tasks.references.gathering import gather_references
from tasks.references.retrained import References
from tasks.report.outputs import write_reports
from tasks.tracking.auditing import log_ladder, log_rung
from unlearn_core.audit.policy import accept, judge, overdrawn, spent
from unlearn_core.errors import GateError, UnlearningError
from unlearn_core.method import Method
from unlearn_core.records.deletion import DeletionRecord, LeftOut, Rung
from unlearn_core.records.drift import Drift
from unlearn_core.records.evaluation import Evaluation
from unlearn_core.records.params import RunParams
from unlearn_core.records.policy import LAST_RESORT, Policy, Verdict
from unlearn_core.routing import Route, only_last_resort, route


@dataclass(frozen=True)
class Hands:
    """What climbs the ladder: plain functions here, Prefect tasks in a flow."""

    gather: Callable[..., References] = gather_references
    attempt: Callable[..., Attempted] = attempt
    assess: Callable[..., Evaluation] = assess
    drift: Callable[..., Drift] = measure_drift
    log_rung: Callable[..., None] = log_rung
    log_ladder: Callable[..., None] = log_ladder


@dataclass(frozen=True)
class Bench:
    """What every rung is held against."""

    checkout: Checkout
    run: RunParams
    policy: Policy
    references: References
    original: Evaluation
    retrained: tuple[Evaluation, ...]


PLAIN = Hands()


def unlearn(root: Path, hands: Hands = PLAIN) -> DeletionRecord:
    """Climb the ladder and write ``models/unlearned`` and ``reports``.

    Args:
        root: The checkout.
        hands: Who does the work.

    Returns:
        The record of every rung.

    Raises:
        GateError: If no method was accepted; the failure is recorded, and nothing is pinned.
    """
    checkout = Checkout(root)
    split = read_split(checkout)
    bench = prepare(checkout, hands)
    planned = plan(bench)
    control = judge_model(bench, bench.original)
    climbed = _climb(bench, planned, hands)
    record = DeletionRecord(
        request=split.request,
        split=split.digest,
        original=bench.original,
        original_verdict=control,
        references=bench.retrained,
        tried=climbed.tried,
        rungs=climbed.rungs,
        failed=climbed.failed,
        left_out=(*planned.left_out, *climbed.left_out),
    )
    hands.log_ladder(checkout, record)
    if record.accepted is None:
        raise GateError(_explain(record))
    copy_folder(checkout.attempt(record.accepted.unlearning.name), checkout.unlearned)
    write_reports(checkout, record, bench.run, bench.references.chosen)
    return record


def prepare(checkout: Checkout, hands: Hands) -> Bench:
    """Read the settings, gather the retrained models, and measure them and the original."""
    run, policy = read_section(checkout.root, "run", RunParams), read_section(checkout.root, "policy", Policy)
    references = hands.gather(checkout, run, policy)
    original, *retrained = (
        hands.assess(checkout, folder, run, references=references)
        for folder in (checkout.parent, *references.retrained)
    )
    return Bench(checkout, run, policy, references, original, tuple(retrained))


def plan(bench: Bench) -> Route:
    """Route the request; a spent drift budget, or nothing measurable to forget, may leave only retraining."""
    scope = read_split(bench.checkout).method_scope
    methods = configured_methods(bench.checkout)
    materials = load_materials(bench.checkout, Pool(bench.checkout, torch.device("cpu")))
    ladder = bench.policy.ladder.classes if scope == "classes" else bench.policy.ladder.samples
    planned = route(ladder, methods, scope=scope, available=materials.available())
    deletions = read_checkpoint_card(bench.checkout.parent).deletions + 1
    if (why := spent(bench.policy.drift, deletions)) is not None:
        return only_last_resort(planned, why)
    control = judge_model(bench, bench.original)
    if control.verdict == "inconclusive" and bench.policy.when_inconclusive == "retrain":
        return only_last_resort(planned, f"{control.reason} The policy accepts only a retrained model then.")
    return planned


def judge_model(bench: Bench, candidate: Evaluation) -> Verdict:
    """Hold a model against the gate."""
    scope = read_split(bench.checkout).method_scope
    return judge(bench.policy, scope, candidate, original=bench.original, references=bench.retrained)


def try_method(bench: Bench, method: Method, hands: Hands) -> Rung:
    """Unlearn with one method, measure, judge, and write all of it down."""
    share = bench.policy.max_unsupported_share
    tried = hands.attempt(bench.checkout, method, bench.run, max_unsupported_share=share)
    evaluation = hands.assess(
        bench.checkout, tried.checkpoint, bench.run, references=bench.references, method=method
    )
    verdict = judge_model(bench, evaluation)
    accepted, why = accept(bench.policy, verdict, is_retrain=method.name == LAST_RESORT)
    rung = Rung(unlearning=tried.record, evaluation=evaluation, verdict=verdict, accepted=accepted, why=why)
    write_record(bench.checkout.cost(tried.record.weights), tried.cost)
    hands.log_rung(bench.checkout, rung, bench.run, bench.references.chosen)
    tell(f"  {method.name}: {verdict.verdict.replace('_', '-')}. {why}")
    return rung


@dataclass
class _Climbed:
    """What was tried so far, as ``DeletionRecord`` holds it."""

    tried: tuple[str, ...] = ()
    rungs: tuple[Rung, ...] = ()
    failed: tuple[LeftOut, ...] = ()
    left_out: tuple[LeftOut, ...] = ()


def _climb(bench: Bench, planned: Route, hands: Hands) -> _Climbed:
    """Try one method after the other until a model is accepted; an overdrawn budget leaves retraining."""
    climbed, why = _Climbed(), None
    for method in planned.methods:
        if why is not None and method.name != LAST_RESORT:
            climbed.left_out += (LeftOut(method=method.name, why=why),)
            continue
        climbed.tried += (method.name,)
        try:
            rung = try_method(bench, method, hands)
        except UnlearningError as error:
            climbed.failed += (LeftOut(method=method.name, why=str(error)),)
            continue
        if rung.accepted:
            rung, why = _within_budget(bench, rung, hands)
        climbed.rungs += (rung,)
        if rung.accepted:
            break
    return climbed


def _within_budget(bench: Bench, rung: Rung, hands: Hands) -> tuple[Rung, str | None]:
    """Measure an accepted model's drift; beyond the budget it is not accepted after all, and say why."""
    drift = hands.drift(bench.checkout, bench.checkout.attempt(rung.unlearning.name), bench.run)
    why = overdrawn(bench.policy.drift, drift)
    if why is None:
        return Rung(**{**dict(rung), "drift": drift}), None
    tell(f"  {rung.unlearning.name}: {why}")
    return Rung(**{**dict(rung), "drift": drift, "accepted": False, "why": why}), why


def _explain(record: DeletionRecord) -> str:
    reasons = [f"  {rung.unlearning.name}: {rung.why}" for rung in record.rungs]
    reasons += [f"  {entry.method}: {entry.why}" for entry in (*record.failed, *record.left_out)]
    return "\n".join([f"request {record.request}: no model was accepted, the champion stays", *reasons])


if __name__ == "__main__":
    run_stage(unlearn)
