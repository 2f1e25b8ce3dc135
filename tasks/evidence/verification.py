"""Verify a certificate, and the model that it is about, with nothing else.

It loads no torch, uses no network and trusts only the given key, or else the keys in the user's trust folder;
nothing in a certificate can add to them.
"""

from pathlib import Path
from typing import Literal

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pydantic import JsonValue

from tasks.checkout.files import file_digest
from tasks.checkout.regular import read_regular
from tasks.evidence.attestation import Attestors, attested
from tasks.evidence.telling import Summary, told_of
from tasks.keys.signing import (
    key_id,
    public_keys_in,
    read_certificate,
    read_public_key,
    trust_folder,
    verify_judged,
    verify_payload,
    verify_signature,
)
from unlearn_core.audit.countersigning import take_apart
from unlearn_core.audit.envelope import MAX_BYTES, is_judged
from unlearn_core.audit.receipts import check_receipt, read_receipt
from unlearn_core.errors import EvidenceError, SetupError
from unlearn_core.records.base import Sha256
from unlearn_core.records.certificate import DeletionCertificate, ModelDigests
from unlearn_core.records.judged import JudgedCertificate
from unlearn_core.records.request import RequestId

Certified = DeletionCertificate | JudgedCertificate
CertificateKind = Literal["made", "judged"]
"""What a certificate is of: a deletion that Lethe made, or a model that it only judged."""


def verify_files(
    certificate: Path,
    *,
    model: Path | None = None,
    key: Path | None = None,
    request: RequestId | None = None,
    policy: Sha256 | None = None,
    receipt: Path | None = None,
    attestors: Attestors | None = None,
    kind: CertificateKind | None = None,
) -> Summary:
    """Verify a certificate file and, if given, the model's file and a person's receipt.

    Args:
        certificate: The certificate, of either kind.
        model: The model that it should be about.
        key: The public key that should have signed it; the trust folder's keys by default.
        request: The id of the request that it should be about.
        policy: The digest of the policy that it should have been reached under.
        receipt: A receipt that should be one of this certificate.
        attestors: Who else is asked about it: an authority's time stamp and witnesses.
        kind: The kind that it should be of.

    Returns:
        A summary of who signed what and when, and of the rows that the receipt shows.

    Raises:
        EvidenceError: If the certificate, its time stamp or the receipt is not valid, too few witnesses
            signed it, or it is about another model, request or policy, or of another kind.
    """
    issued, inside = take_apart(read_certificate(certificate))
    certified, signer = _verify_any(issued, key=key)
    if kind is not None and kind != (found := _kind_of(certified)):
        told = {"made": "a deletion that Lethe made", "judged": "a model that was judged and not made"}
        raise EvidenceError(f"the certificate is about {told[found]}, expected {told[kind]}")
    if request is not None and certified.request.id != request:
        raise EvidenceError(f"the certificate is about request {certified.request.id}, not {request}")
    if policy is not None and (found := certified.judgement.verdict.policy) != policy:
        raise EvidenceError(
            f"the verdict was reached under the policy {found}, not under {policy}; ask the issuer which "
            "policy was agreed on"
        )
    if model is not None and (found := _digest(model)) != (about := _model_of(certified)):
        raise EvidenceError(
            f"the model {model} is {found}, the certificate is about {about}; "
            "take the model that was issued with it"
        )
    rows = None if receipt is None else _shown_rows(receipt, certified)
    finished, asked = certified.provenance.finished, attestors or Attestors()
    return {
        **told_of(certified, signer=signer, model_checked=model is not None),
        **attested(certificate, issued, inside, finished=finished, asked=asked),
        "receipt": rows,
    }


def _kind_of(certified: Certified) -> CertificateKind:
    return "judged" if isinstance(certified, JudgedCertificate) else "made"


def _model_of(certified: Certified) -> Sha256:
    models = certified.models
    return models.unlearned if isinstance(models, ModelDigests) else models.candidate


def _shown_rows(receipt: Path, certified: Certified) -> list[JsonValue]:
    """Check a receipt.

    Returns:
        The rows that it shows to have been in, and to be out.

    Raises:
        SetupError: If it cannot be read.
        EvidenceError: If the certificate is of no deletion.
    """
    if isinstance(certified, JudgedCertificate):
        raise EvidenceError(
            "a receipt belongs to a deletion, and this certificate is about a model that was judged and not "
            "made: nobody but its maker knows what that was trained on"
        )
    try:
        given = read_receipt(read_regular(receipt, MAX_BYTES + 1))
    except OSError as error:
        raise SetupError(f"cannot read the receipt {receipt}: {error.strerror}") from error
    check_receipt(given, certified)
    return [{"sample": row.sample, "image": row.image} for row in given.rows]


def verify_bytes(raw: bytes, *, key: Path | None = None) -> tuple[DeletionCertificate, Sha256]:
    """Verify the certificate of a deletion.

    Args:
        raw: The certificate file's content.
        key: The public key that should have signed it; the trust folder's keys by default.

    Returns:
        The certificate, and the id of the key that signed it.
    """
    statement, signer = verify_signature(raw, keys_to_trust(key))
    return statement.predicate, signer


def _verify_any(raw: bytes, *, key: Path | None) -> tuple[Certified, Sha256]:
    """Verify a certificate of either kind; the signed bytes say which it is."""
    trusted = keys_to_trust(key)
    payload, signer = verify_payload(raw, trusted)
    if is_judged(payload):
        return verify_judged(payload), signer
    return verify_signature(raw, trusted)[0].predicate, signer


def keys_to_trust(key: Path | None) -> dict[Sha256, Ed25519PublicKey]:
    """Return the key that was given, or else those of the trust folder.

    Raises:
        SetupError: If there is none.
    """
    if key is not None:
        public = read_public_key(key)
        return {key_id(public): public}
    if not (trusted := public_keys_in(trust_folder())):
        raise SetupError(f"no key is trusted; give the issuer's with --key, or put it in {trust_folder()}")
    return dict(trusted)


def _digest(model: Path) -> Sha256:
    """Return the digest of the model's file.

    Raises:
        SetupError: If it cannot be read.
    """
    try:
        return file_digest(model)
    except OSError as error:
        raise SetupError(f"cannot read the model {model}: {error.strerror}") from error
