"""Prefect flow ``calibrate``: pseudo-requests are trained, measured, and made into bands."""

from prefect import flow, task

from flows.reference import Agree
from flows.stages.pipeline import PREPARATION, run_due
from tasks.calibration.foretelling import estimate_calibration
from tasks.calibration.keeping import keep_calibration, make_calibration
from tasks.calibration.measuring import attacked_of, measure_adversaries, measure_missing
from tasks.calibration.planning import CalibrationAsked, plan_calibration
from tasks.checkout.checkout import Checkout
from tasks.keys.signing import require_keys
from tasks.lifecycle.cut_short import closing_before
from tasks.orchestration.flow_runs import project_tags, tag_flow_run
from tasks.references.building import train_one
from tasks.references.estimating import refuse_full_disk
from unlearn_core.records.calibration import Calibration, CalibrationReport

_train = task(name="train", task_run_name="train {title}")(train_one)


@closing_before
@flow(
    name="calibrate", flow_run_name="{checkout.params.registry.model}: calibrate", validate_parameters=False
)
def calibration(checkout: Checkout, asked: CalibrationAsked, at_once: int, memory_mib: float) -> Calibration:
    """Train and measure what is missing, and make the bands.

    Args:
        checkout: The checkout, with its parent. Its root is stored, so it must name nobody.
        asked: What is to be calibrated.
        at_once: How many trainings run at once.
        memory_mib: What each takes.

    Returns:
        The calibration.
    """
    tag_flow_run(project_tags(checkout))
    planned = plan_calibration(checkout, asked)
    measure_missing(checkout, planned, at_once=at_once, memory_mib=memory_mib, train=_train)
    measure_adversaries(checkout, tuple(attacked_of(planned, asked.adversaries)))
    return make_calibration(checkout, asked, planned)


def calibrate(
    checkout: Checkout, asked: CalibrationAsked, *, agree: Agree, at_most: int | None = None
) -> CalibrationReport:
    """Prepare the model, plan, estimate, ask, calibrate, and let the policy judge by it.

    Args:
        checkout: The checkout; the caller holds its lock.
        asked: What is to be calibrated.
        agree: Is shown the estimate; if it returns False, nothing is trained or written.
        at_most: How many trainings may run at once; by default as many as fit on the machine.

    Returns:
        What was estimated, and what came of it.
    """
    require_keys()
    for stage, function in PREPARATION.items():
        run_due(checkout, stage, function)
    planned = plan_calibration(checkout, asked)
    estimate = estimate_calibration(checkout, planned, at_most=at_most)
    if not agree(estimate):
        return CalibrationReport(estimate=estimate, made=None)
    refuse_full_disk(estimate)
    made = calibration(checkout, asked, max(1, estimate.at_once), estimate.memory_mib_each)
    keep_calibration(checkout, made)
    return CalibrationReport(estimate=estimate, made=made)
