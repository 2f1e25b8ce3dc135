"""A calibration from what was measured, and where it is kept: pinned under the digest that policies name."""

from collections.abc import Sequence

from tasks.calibration.judging import MeasuredKind
from tasks.calibration.measuring import adversaries_of, attacked_of
from tasks.calibration.planning import CalibrationAsked, PlannedTraining
from tasks.checkout.checkout import Checkout
from tasks.checkout.files import read_record, write_record
from tasks.checkout.params import set_values
from tasks.computing.checkpoints import read_checkpoint_card
from tasks.computing.costs import read_cost
from tasks.measuring.calibrated import calibration_file
from tasks.storage.versioning import track
from unlearn_core.kinds import CalibrationKind
from unlearn_core.records.calibration import (
    CalibratedKind,
    Calibration,
    CalibrationCost,
    PseudoRequest,
)
from unlearn_core.records.evaluation import Evaluation

DRIFT_SHARE = 0.5
"""The share of the drift budget that may be spent before a model is taken for another than the calibrated."""


def make_calibration(
    checkout: Checkout, asked: CalibrationAsked, planned: Sequence[PlannedTraining]
) -> Calibration:
    """Make the bands of every kind from what is kept.

    Args:
        checkout: The checkout; all that was planned is measured.
        asked: What is to be calibrated.
        planned: The trainings.

    Returns:
        The record.
    """
    parent, budget = read_checkpoint_card(checkout.parent), checkout.params.policy.drift
    assert parent.recipe is not None
    requests, distance = budget.max_requests, budget.max_weight_distance
    return Calibration(
        model=parent.trained or parent.weights,
        data=parent.data,
        architecture=parent.architecture.name,
        recipe=parent.recipe,
        deletions=None if requests is None else parent.deletions + int(DRIFT_SHARE * requests),
        weight_distance=None if distance is None else DRIFT_SHARE * distance,
        kinds=tuple(_kind(checkout, asked, planned, kind) for kind in asked.kinds),
        cost=_cost(checkout, planned),
    )


def _kind(
    checkout: Checkout, asked: CalibrationAsked, planned: Sequence[PlannedTraining], kind: CalibrationKind
) -> CalibratedKind:
    """Make the bands of one kind."""
    own = [one for one in planned if one.drawn.kind == kind]
    pseudo = [each for one in own for each in one.pseudo]
    attacked = {
        pseudo.index(one): [read_record(path, Evaluation) for path in adversaries_of(one) if path.is_file()]
        for one in attacked_of(own, asked.adversaries)
    }
    measured = [read_record(one.kept, PseudoRequest) for one in pseudo]
    return MeasuredKind(measured, checkout.params.policy, asked.coverage).calibrated(attacked)


def _cost(checkout: Checkout, planned: Sequence[PlannedTraining]) -> CalibrationCost:
    """Add up what the trainings took, whenever they were made here."""
    models = [read_record(one.pseudo[0].kept, PseudoRequest).retrained.model for one in planned]
    costs = [cost.seconds for model in models if (cost := read_cost(checkout, model)) is not None]
    return CalibrationCost(trainings=len(planned), seconds=sum(costs))


def keep_calibration(checkout: Checkout, calibration: Calibration) -> None:
    """Write a calibration, pin it, and let the policy judge by it.

    Args:
        checkout: The checkout; its ``params.yaml`` is changed.
        calibration: The record.
    """
    path = calibration_file(checkout, calibration.digest)
    write_record(path, calibration)
    track(checkout.root, path.parent)
    set_values(
        checkout.root,
        {("policy", "calibration"): calibration.digest, ("policy", "reference"): "calibrated"},
    )
