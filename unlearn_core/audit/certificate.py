"""Whether the parts of a certificate agree with one another.

A signature says who stated something. These rules say that the statement does not contradict itself:
each yields a sentence per problem, and ``check`` lists them all.
"""

import math
from collections import Counter
from collections.abc import Iterator
from datetime import datetime

from unlearn_core.audit.evidence import level
from unlearn_core.audit.policy import SHADOWS, accept, judge
from unlearn_core.errors import EvidenceError
from unlearn_core.records.certificate import DeletionCertificate, Statement
from unlearn_core.records.evaluation import Evaluation
from unlearn_core.records.policy import LAST_RESORT, Finding, Verdict
from unlearn_core.records.request import group_id

SHARE_TOLERANCE = 1e-6
BOUND_TOLERANCE = 1e-9


def check(statement: Statement) -> None:
    """Check that a statement's parts agree.

    Args:
        statement: The parsed statement; its signature is another matter.

    Raises:
        EvidenceError: If any two parts contradict one another; every problem is listed.
    """
    certificate = statement.predicate
    problems = [
        *_subject(statement),
        *_group(certificate),
        *_identities(certificate),
        *_evaluations(certificate),
        *_findings(certificate),
        *_acceptance(certificate),
        *_level(certificate),
        *_policy(certificate),
        *_attempts(certificate),
        *_drift(certificate),
        *_circumstances(certificate),
        *_extensions(certificate),
    ]
    if problems:
        lines = "\n".join(f"  {problem}" for problem in problems)
        raise EvidenceError(f"the certificate contradicts itself; ask the issuer for a correct one:\n{lines}")


def _subject(statement: Statement) -> Iterator[str]:
    """The statement is about the model that the certificate certifies, and names nobody."""
    subject = f"sha256:{statement.subject[0].file_digest.sha256}"
    if subject != (certified := statement.predicate.models.unlearned):
        yield f"subject: the statement is about {subject}, the certificate about {certified}"
    if b"hmac-sha256:" in statement.canonical():
        yield "a pseudonym of a sample or a person is in it; a certificate carries digests only"


def _group(certificate: DeletionCertificate) -> Iterator[str]:
    """The request is one of its group, and the group's id follows from its members."""
    if (group := certificate.group) is None:
        return
    if (own := certificate.request.digest) not in group.members:
        yield f"group: request {certificate.request.id} ({own}) is not among its members"
    if list(group.members) != sorted(set(group.members)):
        yield "group: its members are not in order, each once"
    if group.id != (follows := group_id(group.members)):
        yield f"group: its id is {group.id}; its members make it {follows}"


def _identities(certificate: DeletionCertificate) -> Iterator[str]:
    """Something was forgotten: data and model are not what they were."""
    if certificate.models.unlearned == certificate.models.parent:
        yield "models: the unlearned model is the parent itself; nothing was unlearned"
    if certificate.data.retained == certificate.data.before:
        yield "data: the retained data equal the data before; nothing was deleted"
    if not certificate.method.get("name"):
        yield "method: it has no name"


def _evaluations(certificate: DeletionCertificate) -> Iterator[str]:
    """Each evaluation is of the model that it claims to be of."""
    judgement, models = certificate.judgement, certificate.models
    if judgement.original.model != models.parent:
        yield f"judgement.original is of {judgement.original.model}, not of the parent {models.parent}"
    if judgement.unlearned.model != models.unlearned:
        yield f"judgement.unlearned is of {judgement.unlearned.model}, not of {models.unlearned}"
    references = [reference.model for reference in judgement.references]
    if {models.parent, models.unlearned} & set(references):
        yield "judgement.references: a model cannot be its own reference"
    if len(set(references)) < len(references):
        yield "judgement.references: the same model is listed twice"
    for evaluation in (judgement.original, judgement.unlearned, *judgement.references):
        counts = Counter(measurement.name for measurement in evaluation.measurements)
        yield from (f"{name} was measured twice on {evaluation.model}" for name, n in counts.items() if n > 1)


def _findings(certificate: DeletionCertificate) -> Iterator[str]:
    """Each finding is about a measurement that was taken, and its outcome follows from its bounds."""
    verdict, unlearned = certificate.judgement.verdict, certificate.judgement.unlearned
    if not verdict.findings:
        yield "findings: there are none; nothing was judged"
    for finding in verdict.findings:
        if (value := _value(unlearned, finding.measurement)) != finding.value:
            yield f"findings: {finding.measurement} is {finding.value}, but {value} was measured"
        if finding.outcome == "undecided" and verdict.verdict == "inconclusive":
            continue
        if finding.outcome != "inside":
            yield f"findings: {finding.measurement} is {finding.outcome}; a certified model's are all inside"
        elif not _inside(finding, finding.value):
            yield f"findings: {finding.measurement} is called inside, but lies outside its bounds"


def _acceptance(certificate: DeletionCertificate) -> Iterator[str]:
    """The model was accepted: it passes where the original fails, or a note says why it was accepted."""
    verdict, original = certificate.judgement.verdict, certificate.judgement.original
    findings = {finding.measurement: finding for finding in verdict.findings}
    if strangers := set(verdict.decided_by) - set(findings):
        yield f"decided_by: no finding is about {', '.join(sorted(strangers))}"
    if verdict.verdict == "inconclusive":
        if not certificate.note:
            yield "verdict: inconclusive, and no note says why it was accepted nevertheless"
    elif verdict.verdict != "passes":
        yield f"verdict: {verdict.verdict}; only an accepted model is certified"
    elif not verdict.decided_by:
        yield "verdict: passes, but nothing tells the unlearned model from the original"
    # The negative control, recomputed: what decided a pass is what the original model fails.
    for name in verdict.decided_by if verdict.verdict == "passes" else ():
        value = _value(original, name)
        if name in findings and (value is None or _inside(findings[name], value)):
            yield f"decided_by: {name} of the original is {value}, which does not fail the gate"


def _level(certificate: DeletionCertificate) -> Iterator[str]:
    """The level of evidence follows from the models that were used."""
    judgement = certificate.judgement
    references, shadows = len(judgement.references), int(_value(judgement.unlearned, SHADOWS) or 0)
    if (stated := judgement.verdict.level) != (follows := level(references, shadows)):
        yield f"level: {stated} is stated; {references} references and {shadows} shadow pairs give {follows}"


def _policy(certificate: DeletionCertificate) -> Iterator[str]:
    """The verdict follows from the policy and the numbers: the gate is run again."""
    judgement = certificate.judgement
    if (policy := judgement.policy) is None:
        return
    if (stated := judgement.verdict).policy != policy.digest:
        yield f"policy: its digest is {policy.digest}, the verdict was reached under {stated.policy}"
        return
    follows = judge(
        policy,
        "classes" if certificate.request.kind == "classes" else "samples",
        judgement.unlearned,
        original=judgement.original,
        references=judgement.references,
    )
    for field in Verdict.model_fields:
        said, is_so = getattr(stated, field), getattr(follows, field)
        if not (_agree(said, is_so) if field == "findings" else said == is_so):
            yield f"verdict: {field} is {said!r}; policy and measurements give {is_so!r}"
    if (policy.approval is None) != (certificate.approval is None):
        asked, found = "does not ask" if policy.approval is None else "asks", certificate.approval or "none"
        yield f"approval: the policy {asked} for a person's, the certificate has {found}"
    if not accept(policy, follows, is_retrain=certificate.method.get("name") == LAST_RESORT)[0]:
        yield f"verdict: the policy does not accept it ({follows.reason})"


def _agree(said: tuple[Finding, ...], follow: tuple[Finding, ...]) -> bool:
    """Whether findings are the same, except the last digits of bounds, which depend on a library."""
    return len(said) == len(follow) and all(
        (one.measurement, one.value, one.outcome) == (other.measurement, other.value, other.outcome)
        and _close(one.lowest, other.lowest)
        and _close(one.highest, other.highest)
        for one, other in zip(said, follow, strict=True)
    )


def _close(bound: float | None, other: float | None) -> bool:
    if bound is None or other is None:
        return bound is other
    return math.isclose(bound, other, rel_tol=BOUND_TOLERANCE, abs_tol=BOUND_TOLERANCE)


def _attempts(certificate: DeletionCertificate) -> Iterator[str]:
    """The ladder ends with the accepted method, and no earlier rung had passed."""
    *earlier, last = certificate.attempts
    name, verdict = certificate.method.get("name"), certificate.judgement.verdict.verdict
    if (last.method, last.verdict) != (name, verdict):
        yield f"attempts: the last is {last.method} ({last.verdict}), certified is {name} ({verdict})"
    for attempt in earlier:
        if attempt.verdict == "passes":
            yield f"attempts: {attempt.method} passed, but a later one was taken"


def _drift(certificate: DeletionCertificate) -> Iterator[str]:
    """The drift is the certified model's, and a model trained in full has none."""
    if (drift := certificate.drift) is None:
        return
    own = drift.origin == certificate.models.unlearned
    if own != (drift.requests == 0):
        yield f"drift: {drift.requests} deletions since the origin, which is {drift.origin}"
    moved = (drift.weight_distance, drift.layer_weight_distance, 1 - drift.retained_energy)
    if own and any(moved):
        yield "drift: the model is its own origin, yet has moved from it"
    measured = _value(certificate.judgement.unlearned, "accuracy.audit.retain")
    if measured is not None and measured != drift.accuracy:
        yield f"drift: accuracy is {drift.accuracy}, but accuracy.audit.retain was measured as {measured}"


def _circumstances(certificate: DeletionCertificate) -> Iterator[str]:
    """Validation, coverage, code and time are as an accepted run leaves them."""
    validation, coverage, provenance = certificate.validation, certificate.coverage, certificate.provenance
    if not validation.all_succeeded or not validation.expectations:
        yield "validation: the data did not meet every expectation, or none was asked"
    total = coverage.projected + coverage.trained + coverage.frozen + coverage.unsupported
    if abs(total - 1) > SHARE_TOLERANCE:
        yield f"coverage: the shares add up to {total}, not to 1"
    if provenance.commit is None and not provenance.dirty:
        yield "provenance: there is no commit, yet the tree is called clean"
    try:
        started, finished = (datetime.fromisoformat(t) for t in (provenance.started, provenance.finished))
    except ValueError as error:
        yield f"provenance: a time is not on the calendar ({error})"
        return
    if finished < started:
        yield f"provenance: finished at {provenance.finished}, before the start at {provenance.started}"


def _extensions(certificate: DeletionCertificate) -> Iterator[str]:
    """The extensions are those that were used: this method, and the metrics that measured the model."""
    named, name = certificate.extensions, certificate.method.get("name")
    for one in named:
        if one.kind == "method" and one.name != name:
            yield f"extensions: {one} is named, the method is {name}"
    measured, judgement = [one for one in named if one.kind == "metric"], certificate.judgement
    if tuple(measured) != judgement.unlearned.extensions:
        yield "extensions: the metrics are not those that measured the unlearned model"
    asked = [] if judgement.policy is None else sorted(judgement.policy.metrics)
    if asked != sorted(one.name for one in measured):
        yield f"extensions: the policy asks for the metrics {asked}, others measured"


def _value(evaluation: Evaluation, name: str) -> float | None:
    """Return a measurement's value, or None if it was not taken."""
    return measured.value if (measured := evaluation.get(name)) else None


def _inside(finding: Finding, value: float | None) -> bool:
    """Whether a value was taken and lies within a finding's bounds."""
    if value is None:
        return False
    above = finding.lowest is None or value >= finding.lowest
    return above and (finding.highest is None or value <= finding.highest)
