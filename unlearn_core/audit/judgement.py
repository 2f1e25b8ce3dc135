"""Whether a certificate's verdict follows from its numbers, its policy and the attempts that it lists."""

import math
from collections import Counter
from collections.abc import Iterator

from unlearn_core.audit.acceptance import accept
from unlearn_core.audit.earlier import earlier_problems
from unlearn_core.audit.evidence import SHADOWS, level
from unlearn_core.audit.plausibility import distance_problems, is_possible
from unlearn_core.audit.policy import judge
from unlearn_core.kinds import RequestKind, scope_kind
from unlearn_core.records.base import Sha256
from unlearn_core.records.certificate import Attempt, DeletionCertificate, Judgement
from unlearn_core.records.evaluation import Evaluation
from unlearn_core.records.policy import LAST_RESORT, ClaimName, ClaimVerdict, Finding, Policy, Verdict

BOUND_TOLERANCE = 1e-9


def judgement_problems(certificate: DeletionCertificate) -> Iterator[str]:
    """Find what contradicts itself in a certificate's judgement.

    Args:
        certificate: The certificate.

    Yields:
        A sentence per problem.
    """
    for rule in (_evaluations, _findings, _acceptance, _level, _policy, _attempts, earlier_problems):
        yield from rule(certificate)


def _evaluations(certificate: DeletionCertificate) -> Iterator[str]:
    """Each evaluation is of the model that it claims to be of."""
    models, kind = certificate.models, certificate.request.kind
    yield from evaluation_problems(certificate.judgement, models.parent, models.unlearned, kind)


def evaluation_problems(
    judgement: Judgement, parent: Sha256, unlearned: Sha256, kind: RequestKind
) -> Iterator[str]:
    """Find what contradicts itself in the numbers that a verdict rests on.

    Args:
        judgement: The numbers.
        parent: The model before.
        unlearned: The model that was judged.
        kind: What the request names.

    Yields:
        A sentence per problem.
    """
    if judgement.original.model != parent:
        yield f"judgement.original is of {judgement.original.model}, not of the parent {parent}"
    if judgement.unlearned.model != unlearned:
        yield f"judgement.unlearned is of {judgement.unlearned.model}, not of {unlearned}"
    references = [reference.model for reference in judgement.references]
    if {parent, unlearned} & set(references):
        yield "judgement.references: a model cannot be its own reference"
    if len(set(references)) < len(references):
        yield "judgement.references: the same model is listed twice"
    evaluations = (judgement.original, judgement.unlearned, *judgement.references)
    if len(seeds := {evaluation.seed for evaluation in evaluations}) > 1:
        yield f"judgement: the models were measured with the seeds {sorted(seeds)}, and not with one"
    for evaluation in evaluations:
        counts = Counter(measurement.name for measurement in evaluation.measurements)
        yield from (f"{name} was measured twice on {evaluation.model}" for name, n in counts.items() if n > 1)
        yield from (
            f"{entry.name} is {entry.value} on {evaluation.model}, in [{entry.low}, {entry.high}]"
            for entry in evaluation.measurements
            if not is_possible(entry)
        )
    yield from distance_problems(judgement)
    yield from _unmeasured(judgement.unlearned, of_classes=kind == "classes")


def _unmeasured(unlearned: Evaluation, *, of_classes: bool) -> Iterator[str]:
    """What is called silent can be: a single class is retained, so what is retained of it is silent first.

    Otherwise every measurement that misses its band could be called silent, and the rest would pass. What is
    lacking does not pass either.
    """
    for entry in unlearned.unmeasured:
        quantity, side = entry.name.rsplit(".", 2)[0], entry.name.rpartition(".")[2]
        # Rows of classes that were forgotten are of none that is left; other rows may be.
        may_be = not of_classes and unlearned.silence(f"{quantity}.train.retain") is not None
        if not (entry.lacking or side == "retain" or (side == "forget" and may_be)):
            yield f"judgement: {entry.name} is said to be silent, and of such a request it never is"


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
    if (stated := judgement.verdict.level) != (follows := level(references, shadows)):
        yield f"level: {stated} is stated; {references} references and {shadows} shadow pairs give {follows}"


def _policy(certificate: DeletionCertificate) -> Iterator[str]:
    """The verdict follows from the policy and the numbers, and the policy accepts it."""
    judgement, kind = certificate.judgement, certificate.request.kind
    if (policy := judgement.policy) is None:
        return
    yield from verdict_problems(judgement, policy, kind)
    if judgement.verdict.policy != policy.digest:
        return
    is_retrain = certificate.method.get("name") == LAST_RESORT
    accepted, why = accept(policy, _judged_again(judgement, policy, kind), is_retrain=is_retrain)
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
    follows = _judged_again(judgement, policy, kind)
    for field in Verdict.model_fields:
        said, is_so = getattr(stated, field), getattr(follows, field)
        if not (_agree(said, is_so) if field == "findings" else said == is_so):
            yield f"verdict: {field} is {said!r}; policy and measurements give {is_so!r}"


def _judged_again(judgement: Judgement, policy: Policy, kind: RequestKind) -> Verdict:
    """Return what the gate says of the numbers."""
    measured, original, references = judgement.unlearned, judgement.original, judgement.references
    return judge(policy, scope_kind(kind), measured, original=original, references=references)


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
