"""Whether the calibration in a certificate is the one that its policy names, and holds for its request."""

from collections.abc import Iterator

from unlearn_core.audit.calibrated import least_units, out_of_range, units_besides
from unlearn_core.kinds import RequestKind
from unlearn_core.records.base import Sha256
from unlearn_core.records.calibration import CalibratedKind, CalibratedRequest, Calibration
from unlearn_core.records.certificate import DeletionCertificate, Judgement

_EITHER = "the one that a policy asks for holds, or the certificate says why not"


def judged_for(certificate: DeletionCertificate) -> CalibratedRequest | None:
    """Return what a certificate of a deletion says of its request; None if it has no drift or no manifest."""
    calibration = certificate.judgement.calibration
    if calibration is None or (drift := certificate.drift) is None or (trees := certificate.manifest) is None:
        return None
    # A model that was retrained in the end is its own origin: what was judged before is not in its drift.
    own = drift.origin == certificate.models.unlearned
    return CalibratedRequest(
        model=calibration.model if own else drift.origin,
        deletions=0 if own else max(0, drift.requests - 1),
        rows=max(0, trees.before.size - trees.after.size),
    )


def calibration_problems(
    judgement: Judgement, kind: RequestKind, request: CalibratedRequest | None, *, data: Sha256
) -> Iterator[str]:
    """Find what speaks against a calibration that stood in for retrained models.

    How far the weights had come before the request is not in a certificate, so it is not asked again.

    Args:
        judgement: The verdict and the numbers; without a calibration there is nothing to ask.
        kind: What the request names.
        request: What the certificate says of the request; None if it says nothing.
        data: The training data before the request.

    Yields:
        A sentence per problem.
    """
    policy, why = judgement.policy, judgement.not_calibrated
    is_asked = policy is not None and policy.reference == "calibrated"
    if (why is not None) != (is_asked and judgement.calibration is None):
        yield f"calibration: {_EITHER}, and why it did not hold is {'not ' * (why is None)}said"
    if (calibration := judgement.calibration) is None:
        if request is not None:
            yield "calibration: there is none, and what it would have to hold for is stated"
        return
    if judgement.references:
        yield "calibration: there are retrained models as well; a calibration stands in where there is none"
    yield from _impossible(calibration)
    named = None if policy is None else policy.calibration
    if named != calibration.digest:
        yield f"calibration: its digest is {calibration.digest}, the policy names {named}"
    if calibration.model == judgement.original.model and calibration.data != data:
        yield f"calibration: it was drawn from other data than the model's ({calibration.data}, not {data})"
    if request is None:
        yield "calibration: it is not known whether it holds for the request; its model and size are not said"
        return
    why = out_of_range(
        calibration, kind=kind, rows=request.rows, model=request.model, deletions=request.deletions
    )
    if why is not None:
        yield f"calibration: {why}"


def _impossible(calibration: Calibration) -> Iterator[str]:
    """Find what ``lethe calibrate`` does not make: too few pseudo-requests, or counts of others."""
    served = sum(one.trainings for one in calibration.kinds)
    if (trainings := calibration.cost.trainings) != served:
        yield f"calibration: it cost {trainings} trainings, and {served} served its pseudo-requests"
    for one in calibration.kinds:
        others, least = units_besides(one.folds), least_units(one.coverage)
        if others < least:
            yield (
                f"calibration: a coverage of {one.coverage:g} takes {least} pseudo-requests of {one.kind} "
                f"besides those of one training, there are {others}"
            )
        yield from _miscounted(one)


def _miscounted(one: CalibratedKind) -> Iterator[str]:
    """Find where the power is not counted on the pseudo-requests."""
    if (power := one.power) is None:
        yield f"calibration: whether its bands for {one.kind} tell anything apart was not counted"
        return
    counted, units = (power.retrained.judged, power.originals.judged), len(one.folds)
    if counted != (units, units):
        yield f"calibration: {counted[0]} retrained models and {counted[1]} originals of {units} were counted"
        return
    low, high = power.retrained_interval
    if not 0 <= low <= power.retrained.inside / units <= high <= 1:
        yield f"calibration: {power.retrained.inside} of {units} is not in the interval [{low}, {high}]"
