"""Whether a certified model was made as its policy asks: all of it that is not a band.

The bands are asked again by the gate itself (``audit.judgement``). Here are the other conditions: models to
compare with and to attack with, the methods and their order, how much they reached, how far the model has
drifted, a person's approval.
"""

from collections.abc import Iterator

from unlearn_core.audit.acceptance import overdrawn
from unlearn_core.audit.evidence import SHADOWS
from unlearn_core.kinds import scope_kind
from unlearn_core.own_names import LAST_RESORT, OWN_METHODS
from unlearn_core.records.certificate import DeletionCertificate, Judgement
from unlearn_core.records.policy import Policy


def compliance_problems(certificate: DeletionCertificate) -> Iterator[str]:
    """Find what a policy asks for and a certificate does not have.

    Args:
        certificate: The certificate; without a policy nothing can be asked.

    Yields:
        A sentence per problem.
    """
    if (policy := certificate.judgement.policy) is None:
        return
    yield from comparison_problems(certificate.judgement, policy)
    for rule in (_ladder, _reach, _drift, _approval):
        yield from rule(certificate, policy)


def comparison_problems(judgement: Judgement, policy: Policy) -> Iterator[str]:
    """Find whether as many models were trained to compare with, and to attack with, as were asked for.

    Args:
        judgement: The models that were compared.
        policy: What was asked for.

    Yields:
        A sentence per problem.
    """
    found, asked = len(judgement.references), policy.references
    shadows, most = judgement.unlearned.find(SHADOWS) or 0, policy.shadows
    if judgement.calibration is not None:
        if shadows:
            yield f"references: no shadow models are made beside a calibration, {shadows:g} pairs attacked"
        return
    if policy.retrained == "build" and found < asked:
        yield f"references: the policy asks for {asked} retrained models, {found} are in the certificate"
    if policy.retrained == "none" and found:
        yield f"references: the policy asks for none, {found} are in the certificate"
    if len({one.measurements for one in judgement.references}) < found:
        yield "references: two have the same measurements to the last digit; one model is listed twice"
    if shadows > most:
        yield f"references: the policy asks for {most} pairs of shadow models, {shadows:g} attacked"


def _ladder(certificate: DeletionCertificate, policy: Policy) -> Iterator[str]:
    """The methods are known and on the ladder, and were tried in its order, each once."""
    ladder = policy.ladder.of(scope_kind(certificate.request.kind))
    rungs = [*(method for method in ladder if method != LAST_RESORT), LAST_RESORT]
    tried = [attempt.method for attempt in certificate.attempts]
    if strangers := sorted(set(tried) - set(rungs)):
        yield f"attempts: {', '.join(strangers)} is not on the policy's ladder ({', '.join(rungs)})"
    elif tried != [method for method in rungs if method in tried]:
        yield f"attempts: {', '.join(tried)} is not the order of the policy's ladder ({', '.join(rungs)})"
    named = {one.name for one in certificate.extensions if one.kind == "method"}
    if (method := str(certificate.method.get("name"))) not in OWN_METHODS | named:
        yield f"method: {method} is neither one of Lethe's own, nor of an extension that is named"


def _reach(certificate: DeletionCertificate, policy: Policy) -> Iterator[str]:
    """No more of the model was out of the method's reach than the policy allows."""
    share, allowed = certificate.coverage.unsupported, policy.max_unsupported_share
    if share > allowed:
        yield f"coverage: {share:.4g} of the model was out of reach, the policy allows {allowed:.4g}"


def _drift(certificate: DeletionCertificate, policy: Policy) -> Iterator[str]:
    """The model's drift was measured, and is within the policy's budget."""
    if certificate.drift is None:
        if any(bound is not None for bound in dict(policy.drift).values()):
            yield "drift: the policy sets a budget, and no drift is in the certificate"
    elif (why := overdrawn(policy.drift, certificate.drift)) is not None:
        yield f"drift: {why}"


def _approval(certificate: DeletionCertificate, policy: Policy) -> Iterator[str]:
    """A person approved the model if the policy asks for that, and only then."""
    if (policy.approval is None) != (certificate.approval is None):
        asked, found = "does not ask" if policy.approval is None else "asks", certificate.approval or "none"
        yield f"approval: the policy {asked} for a person's, the certificate has {found}"
