"""Whether a certificate of a model that was judged and not made agrees with itself.

The numbers, the gate and the earlier requests are asked again by the rules that certificates of deletions
follow. What is left out is what only a deletion has: a method, a ladder, coverage, drift, and that the model
was accepted. The verdict may be any, as long as it follows.
"""

from collections.abc import Iterator

from unlearn_core.audit.calibration import calibration_problems
from unlearn_core.audit.certificate import (
    future_problems,
    provenance_problems,
    refuse_problems,
    validation_problems,
)
from unlearn_core.audit.compliance import comparison_problems
from unlearn_core.audit.earlier import asked_problems
from unlearn_core.audit.evaluations import evaluation_problems
from unlearn_core.audit.evidence import SHADOWS
from unlearn_core.audit.judgement import verdict_problems
from unlearn_core.records.base import UtcTime
from unlearn_core.records.judged import JudgedCertificate, JudgedStatement


def check_judged(statement: JudgedStatement, *, now: UtcTime | None = None) -> None:
    """Check that the parts of a statement about a judged model agree.

    Args:
        statement: The parsed statement; its signature is another matter.
        now: The current time, which nothing in the statement may be after; None if it is not known.

    Raises:
        EvidenceError: If any two parts contradict one another; every problem is listed.
    """
    certificate = statement.predicate
    seeds = {"evaluation": certificate.judgement.unlearned.seed}
    problems = [
        *_candidate(statement),
        *_judgement(certificate),
        *asked_problems(certificate.earlier, certificate.request.id, certificate.judgement),
        *validation_problems(certificate.validation),
        *provenance_problems(certificate.provenance, seeds),
        *future_problems(certificate.provenance, now),
        *_metrics(certificate),
    ]
    refuse_problems(problems)


def _candidate(statement: JudgedStatement) -> Iterator[str]:
    """The statement is about the file that was handed in, which is another model, and names nobody."""
    models, data = statement.predicate.models, statement.predicate.data
    if (subject := statement.subject_digest) != models.candidate:
        yield f"subject: the statement is about {subject}, the certificate about {models.candidate}"
    if models.original in {models.candidate, models.measured}:
        yield "models: the candidate is the original itself; there was nothing to judge"
    if data.retained == data.before:
        yield "data: the retained data equal the data before; there was nothing to forget"
    if b"hmac-sha256:" in statement.canonical():
        yield "a pseudonym of a sample or a person is in it; a certificate carries digests only"


def _judgement(certificate: JudgedCertificate) -> Iterator[str]:
    """The verdict follows from the policy and from numbers of these models."""
    judgement, models, kind = certificate.judgement, certificate.models, certificate.request.kind
    yield from evaluation_problems(judgement, models.original, models.measured, kind)
    if (policy := judgement.policy) is None:
        yield "policy: there is none to judge by again"
        return
    asked, data = certificate.calibrated_request, certificate.data.before
    yield from calibration_problems(judgement, kind, asked, data=data)
    yield from verdict_problems(judgement, policy, kind)
    yield from comparison_problems(judgement, policy)
    if not judgement.verdict.findings:
        yield "findings: there are none; nothing was judged"
    if judgement.unlearned.find(SHADOWS):
        yield "judgement: shadow models cannot be unlearned by a method that is not known"


def _metrics(certificate: JudgedCertificate) -> Iterator[str]:
    """The metrics of other packages are those that measured the candidate and that the policy asks for."""
    named, judgement = [one for one in certificate.extensions if one.kind == "metric"], certificate.judgement
    if tuple(named) != judgement.unlearned.extensions:
        yield "extensions: the metrics are not those that measured the candidate"
    if any(one.kind == "method" for one in certificate.extensions):
        yield "extensions: a method is named, and which one made the model is not known"
    asked = [] if judgement.policy is None else sorted(judgement.policy.metrics)
    if asked != sorted(one.name for one in named):
        yield f"extensions: the policy asks for the metrics {asked}, others measured"
