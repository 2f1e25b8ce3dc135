"""Whether a certificate's verdict follows from its numbers, its policy and the attempts that it lists."""

import math
from collections.abc import Iterator

from unlearn_core.audit.acceptance import accept
from unlearn_core.audit.calibration import calibration_problems, judged_for
from unlearn_core.audit.earlier import earlier_problems
from unlearn_core.audit.evaluations import evaluation_problems
from unlearn_core.audit.evidence import SHADOWS, level
from unlearn_core.audit.policy import judge
from unlearn_core.errors import ConfigurationError
from unlearn_core.kinds import RequestKind, scope_kind
from unlearn_core.own_names import LAST_RESORT
from unlearn_core.records.certificate import Attempt, DeletionCertificate, Judgement
from unlearn_core.records.policy import ClaimName, ClaimVerdict, Finding, Policy, Verdict

BOUND_TOLERANCE = 1e-9


def judgement_problems(certificate: DeletionCertificate) -> Iterator[str]:
    """Find what contradicts itself in a certificate's judgement.

    Args:
        certificate: The certificate.

    Yields:
        A sentence per problem.
    """
    rules = (
        _evaluations,
        _findings,
        _acceptance,
        _level,
        _calibration,
        _policy,
        _attempts,
        earlier_problems,
    )
    for rule in rules:
        yield from rule(certificate)


def _evaluations(certificate: DeletionCertificate) -> Iterator[str]:
    """Each evaluation is of the model that it claims to be of."""
    models, kind = certificate.models, certificate.request.kind
    yield from evaluation_problems(certificate.judgement, models.parent, models.unlearned, kind)


def _findings(certificate: DeletionCertificate) -> Iterator[str]:
    """Each finding is about a measurement that was taken, and its outcome follows from its bounds."""
    judgement = certificate.judgement
    verdict, original, unlearned = judgement.verdict, judgement.original, judgement.unlearned
    if not verdict.findings:
        yield "findings: there are none; nothing was judged"
    for finding in verdict.findings:
        if (value := unlearned.find(finding.measurement)) != finding.value:
            yield f"findings: {finding.measurement} is {finding.value}, but {value} was measured"
        if value is not None and original.find(finding.measurement) is None:
            yield f"findings: {finding.measurement} was not measured on the original, so it controls nothing"
        claim = verdict.claims.get(finding.claim)
        if claim is None:
            yield f"findings: {finding.measurement} is about {finding.claim}, which was not judged"
        elif finding.outcome != "inside":
            if not _may_be_outside(finding, claim):
                outside = f"{finding.measurement} is {finding.outcome}"
                yield f"findings: {outside}; a certified model's are all inside"
        elif not _inside(finding, finding.value):
            yield f"findings: {finding.measurement} is called inside, but lies outside its bounds"


def _may_be_outside(finding: Finding, claim: ClaimVerdict) -> bool:
    """Tell whether a finding of a certified model may lie elsewhere than inside its band."""
    if finding.claim == "removed":
        return claim.verdict != "passes"
    # Nobody could look where there was no sample; ``accept`` sees to it that such a model was retrained.
    unknown = finding.outcome == "undecided" or finding.lacking is not None
    return unknown and claim.verdict == "inconclusive"


def _acceptance(certificate: DeletionCertificate) -> Iterator[str]:
    """The model was accepted: it passes where the original fails, or a note says why it was accepted."""
    verdict = certificate.judgement.verdict
    if verdict.verdict == "inconclusive":
        if not certificate.note:
            yield "verdict: inconclusive, and no note says why it was accepted nevertheless"
    elif verdict.verdict != "passes":
        yield f"verdict: {verdict.verdict}; only an accepted model is certified"
    if verdict.verdict == "passes" and not verdict.is_shown and not certificate.note:
        yield "verdict: not shown to be removed, and no note says why it was accepted nevertheless"
    for name, claim in verdict.claims.items():
        yield from _decisive(certificate, name, claim)


def _decisive(certificate: DeletionCertificate, claim: ClaimName, verdict: ClaimVerdict) -> Iterator[str]:
    """What decided is among the findings, and what decided a pass is what the original model fails."""
    judgement = certificate.judgement
    findings = {
        finding.measurement: finding for finding in judgement.verdict.findings if finding.claim == claim
    }
    if strangers := set(verdict.decided_by) - set(findings):
        yield f"decided_by: no finding is about {', '.join(sorted(strangers))}"
    if verdict.verdict != "passes":
        return
    if not verdict.decided_by:
        yield "verdict: passes, but nothing tells the unlearned model from the original"
    # The negative control, recomputed.
    for name in verdict.decided_by:
        value = judgement.original.find(name)
        if name in findings and (value is None or _inside(findings[name], value)):
            yield f"decided_by: {name} of the original is {value}, which does not fail the gate"


def _level(certificate: DeletionCertificate) -> Iterator[str]:
    """The level of evidence follows from the models that were used."""
    judgement = certificate.judgement
    references, shadows = len(judgement.references), int(judgement.unlearned.find(SHADOWS) or 0)
    calibrated = judgement.calibration is not None
    follows = level(references, shadows, calibrated=calibrated)
    if (stated := judgement.verdict.level) != follows:
        given = f"{references} references and {shadows} shadow pairs{', with a calibration,' * calibrated}"
        yield f"level: {stated} is stated; {given} give {follows}"


def _calibration(certificate: DeletionCertificate) -> Iterator[str]:
    """A calibration that stood in for retrained models holds for the request."""
    kind, data = certificate.request.kind, certificate.data.before
    yield from calibration_problems(certificate.judgement, kind, judged_for(certificate), data=data)


def _policy(certificate: DeletionCertificate) -> Iterator[str]:
    """The verdict follows from the policy and the numbers, and the policy accepts it."""
    judgement, kind = certificate.judgement, certificate.request.kind
    if (policy := judgement.policy) is None:
        return
    yield from verdict_problems(judgement, policy, kind)
    if judgement.verdict.policy != policy.digest:
        return
    is_retrain = certificate.method.get("name") == LAST_RESORT
    try:
        accepted, why = accept(policy, _judged_again(judgement, policy, kind), is_retrain=is_retrain)
    except ConfigurationError:
        return  # what is wrong with its calibration has been said
    if not accepted:
        yield f"verdict: the policy does not accept it ({why})"


def verdict_problems(judgement: Judgement, policy: Policy, kind: RequestKind) -> Iterator[str]:
    """Run the gate again, and find where a verdict does not follow from the policy and the numbers.

    Args:
        judgement: The verdict and the numbers.
        policy: The policy that comes with them.
        kind: What the request names.

    Yields:
        A sentence per problem.
    """
    if (stated := judgement.verdict).policy != policy.digest:
        yield f"policy: its digest is {policy.digest}, the verdict was reached under {stated.policy}"
        return
    try:
        follows = _judged_again(judgement, policy, kind)
    except ConfigurationError as error:
        yield f"calibration: {error}"
        return
    for field in Verdict.model_fields:
        said, is_so = getattr(stated, field), getattr(follows, field)
        if not (_agree(said, is_so) if field == "findings" else said == is_so):
            yield f"verdict: {field} is {said!r}; policy and measurements give {is_so!r}"


def _judged_again(judgement: Judgement, policy: Policy, kind: RequestKind) -> Verdict:
    """Return what the gate says of the numbers."""
    return judge(
        policy,
        scope_kind(kind),
        judgement.unlearned,
        original=judgement.original,
        references=judgement.references,
        calibrated=judgement.calibrated_for(kind),
    )


def _agree(said: tuple[Finding, ...], follow: tuple[Finding, ...]) -> bool:
    """Whether findings are the same, except the last digits of bounds, which depend on a library."""
    return len(said) == len(follow) and all(
        (one.measurement, one.value, one.outcome, one.lacking)
        == (other.measurement, other.value, other.outcome, other.lacking)
        and _close(one.lowest, other.lowest)
        and _close(one.highest, other.highest)
        for one, other in zip(said, follow, strict=True)
    )


def _close(bound: float | None, other: float | None) -> bool:
    if bound is None or other is None:
        return bound is other
    return math.isclose(bound, other, rel_tol=BOUND_TOLERANCE, abs_tol=BOUND_TOLERANCE)


def _attempts(certificate: DeletionCertificate) -> Iterator[str]:
    """The ladder ends with the certified method, and no other rung should have been taken in its place."""
    name, verdict = certificate.method.get("name"), certificate.judgement.verdict
    settled = verdict.has_remains and name != LAST_RESORT
    attempts = list(certificate.attempts)
    # If no method showed both claims, the first that behaves is taken after all were tried.
    names = [attempt.method for attempt in attempts]
    place = names.index(str(name)) if settled and name in names else len(attempts) - 1
    last = attempts.pop(place)
    own = Attempt(method=last.method, verdict=verdict.verdict, removed=verdict.removal)
    if last.method != name or last != own:
        yield f"attempts: the last is {last.method} ({last.verdict}), certified is {name} ({verdict.verdict})"
    for index, attempt in enumerate(attempts):
        preferred = not attempt.has_remains or (settled and index < place)
        if attempt.verdict == "passes" and preferred:
            other = "a later" if index < place else "an earlier"
            yield f"attempts: {attempt.method} passed, but {other} one was taken"


def _inside(finding: Finding, value: float | None) -> bool:
    """Whether a value was taken and lies within a finding's bounds."""
    if value is None:
        return False
    above = finding.lowest is None or value >= finding.lowest
    return above and (finding.highest is None or value <= finding.highest)
