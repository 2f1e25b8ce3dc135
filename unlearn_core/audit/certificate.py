"""Whether the parts of a certificate agree with one another.

A signature says who stated something. These rules say that the statement does not contradict itself:
each yields a sentence per problem, and ``check`` lists them all.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from unlearn_core.audit.clocks import is_later
from unlearn_core.audit.compliance import compliance_problems
from unlearn_core.audit.judgement import judgement_problems
from unlearn_core.audit.plausibility import early_problems, moving_problems
from unlearn_core.errors import EvidenceError
from unlearn_core.names import one_line
from unlearn_core.records.base import UtcTime
from unlearn_core.records.certificate import DeletionCertificate, Statement, ValidationSummary
from unlearn_core.records.provenance import Provenance
from unlearn_core.records.request import group_id

SHARE_TOLERANCE = 1e-6


def check(statement: Statement, *, now: UtcTime | None = None) -> None:
    """Check that a statement's parts agree.

    Args:
        statement: The parsed statement; its signature is another matter.
        now: The current time, which nothing in the statement may be after; None if it is not known.

    Raises:
        EvidenceError: If any two parts contradict one another; every problem is listed.
    """
    certificate = statement.predicate
    problems = [
        *_subject(statement),
        *_group(certificate),
        *_identities(certificate),
        *_manifest(certificate),
        *judgement_problems(certificate),
        *compliance_problems(certificate),
        *_drift(certificate),
        *moving_problems(certificate),
        *_circumstances(certificate),
        *future_problems(certificate.provenance, now),
        *_extensions(certificate),
    ]
    refuse_problems(problems)


def refuse_problems(problems: Sequence[str]) -> None:
    """Refuse a certificate that contradicts itself.

    Raises:
        EvidenceError: If there is any problem; every one is listed.
    """
    if problems:
        lines = "\n".join(f"  {one_line(problem)}" for problem in problems)
        raise EvidenceError(f"the certificate contradicts itself; ask the issuer for a correct one:\n{lines}")


def _subject(statement: Statement) -> Iterator[str]:
    """The statement is about the model that the certificate certifies, and names nobody."""
    subject = statement.subject_digest
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


def _manifest(certificate: DeletionCertificate) -> Iterator[str]:
    """There were training rows, and after the deletion there are fewer."""
    if (trees := certificate.manifest) is None:
        return
    if trees.after.size >= trees.before.size or trees.after.root == trees.before.root:
        yield (
            f"manifest: {trees.before.size} training rows before, {trees.after.size} after, with the roots "
            f"{trees.before.root} and {trees.after.root}; nothing was deleted"
        )


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
    unlearned, name = certificate.judgement.unlearned, "accuracy.audit.retain"
    measured = unlearned.find(name)
    if measured != drift.accuracy and (measured is not None or unlearned.silence(name) is not None):
        yield f"drift: accuracy is {drift.accuracy}, but {name} was measured as {measured}"


def _circumstances(certificate: DeletionCertificate) -> Iterator[str]:
    """Validation, coverage, code and time are as an accepted run leaves them."""
    coverage, provenance = certificate.coverage, certificate.provenance
    yield from validation_problems(certificate.validation)
    total = coverage.projected + coverage.trained + coverage.frozen + coverage.unsupported
    if abs(total - 1) > SHARE_TOLERANCE:
        yield f"coverage: the shares add up to {total}, not to 1"
    seeds = {"method": certificate.seed, "evaluation": certificate.judgement.unlearned.seed}
    yield from provenance_problems(provenance, seeds)
    for run in () if certificate.history is None else certificate.history.runs:
        if run.began > provenance.finished:
            yield f"history: an earlier run began at {run.began}, after the end at {provenance.finished}"


def validation_problems(validation: ValidationSummary) -> Iterator[str]:
    """Yield what is wrong if the data did not meet every expectation."""
    if not validation.all_succeeded or not validation.expectations:
        yield "validation: the data did not meet every expectation, or none was asked"


def provenance_problems(provenance: Provenance, seeds: Mapping[str, int]) -> Iterator[str]:
    """Find what contradicts itself in where and when a result was made.

    Args:
        provenance: Where and when.
        seeds: The seeds that were used, by what was seeded.

    Yields:
        A sentence per problem.
    """
    for name, seed in seeds.items():
        if (stated := provenance.seeds.get(name, seed)) != seed:
            yield f"provenance: the seed of the {name} is {stated}, and {seed} where it was used"
    if provenance.commit is None and not provenance.dirty:
        yield "provenance: there is no commit, yet the tree is called clean"
    try:
        started, finished = (datetime.fromisoformat(t) for t in (provenance.started, provenance.finished))
    except ValueError as error:
        yield f"provenance: a time is not on the calendar ({error})"
        return
    if finished < started:
        yield f"provenance: finished at {provenance.finished}, before the start at {provenance.started}"
    yield from early_problems(provenance)


def future_problems(provenance: Provenance, now: UtcTime | None) -> Iterator[str]:
    """Yield what is stated and has not happened yet; without the present time nothing."""
    for what in ("started", "finished"):
        time: UtcTime = getattr(provenance, what)
        if now is not None and is_later(time, now):
            yield f"provenance: {what} at {time}, in the future (it is {now}); is a clock wrong?"


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
