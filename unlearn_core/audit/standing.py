"""Whether the calibration in a certificate is the one that its policy names, and holds for its request."""

from collections.abc import Iterator

from unlearn_core.audit.calibrated import out_of_range
from unlearn_core.records.certificate import DeletionCertificate


def calibration_problems(certificate: DeletionCertificate) -> Iterator[str]:
    """Find what speaks against a calibration that stood in for retrained models.

    How far the weights had come before the request is not in a certificate, so it is not asked again.

    Args:
        certificate: The certificate; without a calibration there is nothing to ask.

    Yields:
        A sentence per problem.
    """
    judgement = certificate.judgement
    if (calibration := judgement.calibration) is None:
        return
    if judgement.references:
        yield "calibration: there are retrained models as well; a calibration stands in where there is none"
    named = None if judgement.policy is None else judgement.policy.calibration
    if named != calibration.digest:
        yield f"calibration: its digest is {calibration.digest}, the policy names {named}"
    if (drift := certificate.drift) is None or (trees := certificate.manifest) is None:
        yield "calibration: without drift and manifest it is not known whether it holds for the request"
        return
    # A model that was retrained in the end is its own origin: what was judged before is not in its drift.
    own = drift.origin == certificate.models.unlearned
    why = out_of_range(
        calibration,
        kind=certificate.request.kind,
        rows=trees.before.size - trees.after.size,
        model=calibration.model if own else drift.origin,
        deletions=0 if own else drift.requests - 1,
    )
    if why is not None:
        yield f"calibration: {why}"
