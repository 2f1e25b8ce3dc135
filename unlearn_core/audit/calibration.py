"""Whether the calibration in a certificate is the one that its policy names, and holds for its request."""

from collections.abc import Iterator

from unlearn_core.audit.calibrated import out_of_range
from unlearn_core.kinds import RequestKind
from unlearn_core.records.calibration import CalibratedRequest
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
    judgement: Judgement, kind: RequestKind, request: CalibratedRequest | None
) -> Iterator[str]:
    """Find what speaks against a calibration that stood in for retrained models.

    How far the weights had come before the request is not in a certificate, so it is not asked again.

    Args:
        judgement: The verdict and the numbers; without a calibration there is nothing to ask.
        kind: What the request names.
        request: What the certificate says of the request; None if it says nothing.

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
    named = None if policy is None else policy.calibration
    if named != calibration.digest:
        yield f"calibration: its digest is {calibration.digest}, the policy names {named}"
    if request is None:
        yield "calibration: it is not known whether it holds for the request; its model and size are not said"
        return
    why = out_of_range(
        calibration, kind=kind, rows=request.rows, model=request.model, deletions=request.deletions
    )
    if why is not None:
        yield f"calibration: {why}"
