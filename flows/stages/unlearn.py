"""Stage ``unlearn``: the ladder, rung by rung, until a model is accepted."""

import torch

from flows.stages.climbing import Baseline, Climb, judge_model, try_method
from flows.stages.steps import PLAIN, Steps
from flows.stages.timing import Stopwatch
from tasks.checkout.checkout import Checkout
from tasks.checkout.files import copy_folder
from tasks.computing.checkpoints import read_checkpoint_card
from tasks.computing.configured import configured_methods
from tasks.computing.costs import keep_time, read_cost
from tasks.computing.materials import load_materials, read_split
from tasks.data.datasets import read_card
from tasks.data.pool import Pool
from tasks.measuring.calibrated import find_calibration
from tasks.references.aiming import find_aim
from tasks.references.retrained import NOTHING, References
from tasks.report.outputs import write_reports
from tasks.requests.request_file import read_request
from tasks.requests.runs import recorded_run
from unlearn_core.audit.acceptance import spent, unmeasurable
from unlearn_core.audit.earlier import Earlier
from unlearn_core.errors import GateError
from unlearn_core.own_names import LAST_RESORT
from unlearn_core.records.deletion import DeletionRecord
from unlearn_core.records.params import RunParams
from unlearn_core.routing import Route, only_last_resort, route


def climb_ladder(checkout: Checkout, steps: Steps = PLAIN, *, replays: bool = False) -> DeletionRecord:
    """Climb the ladder and write ``models/unlearned`` and ``reports``.

    The ledger, if it holds the request, records that a run begins and how it ends.

    Args:
        checkout: The checkout.
        steps: The functions or tasks to call.
        replays: Whether a served request is only run again, to compare; that is not recorded.

    Returns:
        The record of every rung.

    Raises:
        GateError: If no method was accepted; the failure is recorded, and nothing is pinned.
    """
    requests = () if replays else read_request(checkout, checkout.params.request).singles
    with recorded_run(checkout, requests) as run:
        split, watch = read_split(checkout), Stopwatch()
        steps = watch.around(steps)
        baseline = prepare_ladder(checkout, steps)
        planned = plan(baseline)
        control = judge_model(baseline, baseline.original)
        climb = Climb(baseline, steps)
        for method in climb.due(planned.methods):
            with climb.trying(method):
                climb.add(try_method(baseline, method, steps))
        climb.settle()
        record = DeletionRecord(
            request=split.request,
            split=split.digest,
            original=baseline.original,
            original_verdict=control,
            references=baseline.retrained,
            tried=climb.tried,
            rungs=climb.rungs,
            failed=climb.failed,
            left_out=(*planned.left_out, *climb.left_out),
            calibration=baseline.calibration,
            not_calibrated=baseline.not_calibrated,
        )
        run.deletion = record.digest
        keep_time(checkout, split.request, **watch.seconds, retraining=_retraining(baseline))
        steps.log_ladder(checkout, record)
        if record.accepted is None:
            raise GateError(_explain(record))
        copy_folder(checkout.attempt(record.accepted.unlearning.name), checkout.unlearned)
        write_reports(checkout, record, baseline.run, baseline.references.chosen)
        return record


def _retraining(baseline: Baseline) -> float | None:
    """Return the seconds that one retraining took, if it was done on this machine."""
    costs = (read_cost(baseline.checkout, one.model) for one in baseline.retrained)
    return next((cost.seconds for cost in costs if cost is not None), None)


def prepare_ladder(checkout: Checkout, steps: Steps) -> Baseline:
    """Read the settings, gather the retrained models, and measure them and the original."""
    run, policy = checkout.params.run, checkout.params.policy
    found = find_calibration(checkout, policy)
    references = NOTHING if found.calibration else steps.gather(checkout, run, policy)
    original, *retrained = (
        steps.assess(checkout, folder, run, references=references)
        for folder in (checkout.parent, *references.retrained)
    )
    earlier = _measure_earlier(checkout, run, references, steps)
    aim = find_aim(checkout, run, policy)
    return Baseline(checkout, run, policy, references, original, tuple(retrained), earlier, aim, *found)


def _measure_earlier(checkout: Checkout, run: RunParams, references: References, steps: Steps) -> Earlier:
    """Ask the parent and the retrained models for what earlier requests forgot, if there were any."""
    if not (requests := read_card(checkout.dataset).earlier):
        return Earlier()
    parent, *retrained = (
        steps.earlier(checkout, folder, run) for folder in (checkout.parent, *references.retrained)
    )
    return Earlier(requests, parent, tuple(retrained))


def plan(baseline: Baseline) -> Route:
    """Route the request; if the drift budget is spent or the gate could not tell, only retrain."""
    scope = read_split(baseline.checkout).method_scope
    methods = configured_methods(baseline.checkout)
    materials = load_materials(baseline.checkout, Pool(baseline.checkout, torch.device("cpu")))
    ladder = baseline.policy.ladder.of(scope)
    planned = route(ladder, methods, scope=scope, available=materials.available())
    deletions = read_checkpoint_card(baseline.checkout.parent).deletions + 1
    if (why := spent(baseline.policy.drift, deletions)) is not None:
        return only_last_resort(planned, why)
    control = judge_model(baseline, baseline.original)
    if (why := unmeasurable(control)) is not None:
        return only_last_resort(planned, why)
    if control.verdict == "inconclusive" and baseline.policy.when_inconclusive == "retrain":
        return only_last_resort(planned, f"{control.reason} The policy accepts only a retrained model then.")
    return planned


def _explain(record: DeletionRecord) -> str:
    """Say why each attempt was refused, which methods were not tried, and what to do."""
    reasons = [f"  {rung.unlearning.name}: {rung.why}" for rung in record.rungs]
    reasons += [f"  {entry.method}: {entry.why}" for entry in record.failed]
    reasons += [f"  {', '.join(names)}: {why}" for why, names in record.not_tried.items()]
    head = f"request {record.request}: no model was accepted, the champion stays"
    return "\n".join([head, *reasons, *_advise(record)])


def _advise(record: DeletionRecord) -> list[str]:
    """Say what usually helps a request on which no model was accepted."""
    advice = []
    if any(rung.unlearning.name == LAST_RESORT for rung in record.rungs):
        advice += ["retrain missed a band as well: the bands in params.yaml may be too narrow for this model"]
    if any(entry.method == LAST_RESORT for entry in record.left_out):
        advice += ["retrain could not be tried: adopt the model with --recipe, and it can be"]
    again = (
        f"`lethe report` shows every attempt; after a change of params.yaml, `lethe delete {record.request}`"
    )
    return [*advice, f"{again} tries again"]
