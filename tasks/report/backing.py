"""What stands behind a page: a signed certificate that says the same, or why there is none.

The facts of a page are records that anybody can write. What the issuer's signature covers is compared with
them field by field; whatever differs is said on top, and then nothing on the page counts as signed.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

from tasks.checkout.checkout import Checkout
from tasks.keys.signing import public_keys_in, read_certificate, trust_folder, verify_signature
from tasks.report.headline import Headline
from tasks.requests.request_file import read_request
from unlearn_core.audit.attempts import attempts_of
from unlearn_core.audit.envelope import decode_envelope, read_statement
from unlearn_core.audit.policy import judge
from unlearn_core.errors import EvidenceError, UsageError
from unlearn_core.kinds import scope_kind
from unlearn_core.names import one_form
from unlearn_core.records.base import Sha256, sha256
from unlearn_core.records.certificate import DeletionCertificate
from unlearn_core.records.drift import DriftSummary
from unlearn_core.records.report import ReportFacts
from unlearn_core.records.request import DeletionRequest
from unlearn_core.records.result import CoverageSummary
from unlearn_core.records.scope import classes_in

_NOT_HERE = "This page is not signed: there is no certificate in this copy of the project to compare it with."
_FALSE = "Do not rely on this page."
_UNNAMED = (
    "The certificate is signed, but it names no class, and the request is not in this copy of the project: "
    "that the page names the right one is not confirmed."
)


@dataclass(frozen=True)
class Backing:
    """What stands behind a page.

    Attributes:
        state: ``signed`` if a trusted key signed what the page says, ``unnamed`` if it did and only the
            request could tell whether the page names the right classes, ``unknown`` if another key did,
            ``absent`` without a certificate, and ``false`` if the page and the certificate differ, or the
            certificate is not valid.
        sentence: What to say of that on top; empty if it is signed.
        differs: What differs.
    """

    state: Literal["signed", "unnamed", "unknown", "absent", "false"]
    sentence: str = ""
    differs: tuple[str, ...] = ()

    def shown(self, headline: Headline) -> Headline:
        """Return a headline that promises no more than what stands behind it."""
        if self.state == "false":
            return Headline("bad", "Not as signed", f"{_FALSE} {self.sentence}")
        if self.state == "signed" or headline.state != "good":
            return headline
        return replace(headline, state="unsure", label=f"{headline.label}, not confirmed")


def with_backing(checkout: Checkout, facts: ReportFacts) -> tuple[ReportFacts, Backing | None]:
    """Compare the facts of a page with the signed certificate.

    Args:
        checkout: The checkout, with the certificate.
        facts: The facts; no certificate in them is believed.

    Returns:
        The facts with the certificate of the checkout, and what stands behind them; None where no model was
        accepted, so that nothing is certified.
    """
    bare = facts.model_copy(update={"certificate": None, "signer": None})
    if facts.deletion.accepted is None:
        return bare, None
    path = checkout.certificate(facts.request)
    if not path.is_file():
        return bare, Backing("absent", _NOT_HERE)
    raw = read_certificate(path)
    try:
        certificate, signer, trusted = _read(raw)
    except EvidenceError as error:
        return bare, Backing("false", "The certificate beside it is not valid.", (str(error),))
    told = bare.model_copy(update={"certificate": certificate, "signer": signer})
    asked = _asked(checkout, facts, certificate)
    differs = tuple(_differences(facts, certificate, sha256(raw)))
    if asked is not None:
        differs += tuple(_misnamed(asked, facts, certificate))
    if differs:
        return told, Backing("false", "It does not say what its certificate says.", differs)
    return told, _confirmed(signer, trusted=trusted, is_named=asked is not None or facts.kind != "classes")


def _confirmed(signer: Sha256, *, trusted: bool, is_named: bool) -> Backing:
    """Return what stands behind a page that says what its certificate says."""
    if not trusted:
        said = f"The signature was not checked: the certificate names the key {signer}, not trusted here."
        return Backing("unknown", f"{said} Get the issuer’s key, and `lethe keys trust` it.")
    return Backing("signed") if is_named else Backing("unnamed", _UNNAMED)


def _read(raw: bytes) -> tuple[DeletionCertificate, Sha256, bool]:
    """Return a certificate, the key that it names, and whether that is trusted; then all of it is verified.

    Raises:
        EvidenceError: If it is no certificate of a deletion, or its key is trusted and it is false.
    """
    keys, envelope = public_keys_in(trust_folder()), decode_envelope(raw)
    if envelope.keyid not in keys:
        return read_statement(envelope.payload).predicate, envelope.keyid, False
    statement, signer = verify_signature(raw, keys)
    return statement.predicate, signer, True


def _differences(facts: ReportFacts, certificate: DeletionCertificate, digest: Sha256) -> Iterator[str]:
    """Yield what the page says otherwise than the certificate, or beyond it."""
    for what, shown, signed in _compared(facts, certificate, digest):
        if shown != signed:
            yield what
    judgement = certificate.judgement
    if judgement.policy is not None:
        kind, original = scope_kind(certificate.request.kind), judgement.original
        control = judge(judgement.policy, kind, original, original=original, references=judgement.references)
        if _outcomes(control) != _outcomes(facts.deletion.original_verdict):
            yield "what the gate says of the model before"


def _outcomes(verdict: Any) -> tuple[Any, ...]:
    """Return a verdict without the numbers of its bands, which are rounded by each machine in its own way."""
    return verdict.verdict, verdict.removal, [(one.measurement, one.outcome) for one in verdict.findings]


def _compared(
    facts: ReportFacts, certificate: DeletionCertificate, digest: Sha256
) -> Iterator[tuple[str, Any, Any]]:
    """Yield what is on the page and what is signed, by name."""
    record, judgement, rung = facts.deletion, certificate.judgement, facts.deletion.accepted
    assert rung is not None, "only an accepted model is certified"
    done = rung.unlearning
    yield "request", (facts.request, facts.kind), (certificate.request.id, certificate.request.kind)
    yield "group", facts.group, certificate.group
    models = (certificate.models.parent, certificate.models.unlearned)
    yield "models", (done.parent, done.weights), models
    yield "method", (done.method, done.seed), (certificate.method, certificate.seed)
    yield "how much of the model was to move", CoverageSummary.of(done.coverage), certificate.coverage
    yield "what was measured on the model before", record.original, judgement.original
    yield "what was measured on the unlearned model", rung.evaluation, judgement.unlearned
    yield "what was measured on retrained models", record.references, judgement.references
    yield "verdict", rung.verdict, judgement.verdict
    yield "attempts", attempts_of(record), certificate.attempts
    yield "earlier requests", rung.earlier, certificate.earlier
    if certificate.drift is not None:
        yield "drift", None if rung.drift is None else DriftSummary.of(rung.drift), certificate.drift
    if (trees := certificate.manifest) is not None:
        kept = facts.rows - facts.forgotten_rows
        yield "numbers of training images", (facts.rows, kept), (trees.before.size, trees.after.size)
    yield from _release(facts, certificate, digest)


def _release(
    facts: ReportFacts, certificate: DeletionCertificate, digest: Sha256
) -> Iterator[tuple[str, Any, Any]]:
    """Yield what the release says, and what is signed."""
    if facts.released is None:
        return
    outcome, verdict = facts.released.outcome, certificate.judgement.verdict
    models, data = certificate.models, certificate.data
    yield "certificate’s digest", facts.released.certificate_digest, digest
    yield "released model", (outcome.model, outcome.parent), (models.unlearned, models.parent)
    yield "data", (outcome.data, outcome.retained), (data.before, data.retained)
    yield "policy", outcome.policy, verdict.policy
    yield "level of evidence", outcome.level, verdict.level
    yield "outcome", (outcome.verdict, outcome.removed), (verdict.verdict, verdict.removal)
    yield "method of the release", outcome.method, certificate.method.get("name")
    yield "note", outcome.note, certificate.note


def _asked(
    checkout: Checkout, facts: ReportFacts, certificate: DeletionCertificate
) -> DeletionRequest | None:
    """Return the request that a certificate is about, if its file is in this copy and can be read."""
    try:
        singles = read_request(checkout, facts.request).singles
    except UsageError:
        return None
    return next((one for one in singles if one.id == certificate.request.id), None)


def _misnamed(asked: DeletionRequest, facts: ReportFacts, certificate: DeletionCertificate) -> Iterator[str]:
    """Yield where the page names other classes than the request, whose digest the certificate has."""
    if asked.summary != certificate.request:
        yield "the request’s file in this copy"
    elif facts.kind == "classes" and facts.group is None:
        named = {one_form(name) for name in classes_in(asked.scope)}
        if named != {one_form(facts.classes[index]) for index in facts.forgotten_classes}:
            yield "names of the forgotten classes"
