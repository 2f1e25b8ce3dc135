"""Verify a certificate, and the model that it is about, with nothing else.

It loads no torch, uses no network and trusts only the given key, or else the keys in the user's trust folder;
nothing in a certificate can add to them.
"""

from pathlib import Path

from tasks.checkout.files import file_digest
from tasks.keys.signing import (
    key_id,
    public_keys_in,
    read_certificate,
    read_public_key,
    trust_folder,
    verify_signature,
)
from unlearn_core.errors import EvidenceError, SetupError
from unlearn_core.records.base import Sha256
from unlearn_core.records.certificate import DeletionCertificate
from unlearn_core.records.policy import NOT_JUDGED

Summary = dict[str, str | bool | None]


def verify_files(certificate: Path, *, model: Path | None = None, key: Path | None = None) -> Summary:
    """Verify a certificate file and, if given, the model's file.

    Args:
        certificate: The certificate.
        model: The model that it should be about.
        key: The public key that should have signed it; the trust folder's keys by default.

    Returns:
        A summary of who signed what.

    Raises:
        EvidenceError: If the certificate is not valid, or the model is another one.
    """
    certified, signer = verify_bytes(read_certificate(certificate), key=key)
    if model is not None and (found := _digest(model)) != certified.models.unlearned:
        raise EvidenceError(
            f"the model {model} is {found}, the certificate is about {certified.models.unlearned}; "
            "take the model that was issued with it"
        )
    return _summary(certified, signer=signer, model_checked=model is not None)


def verify_bytes(raw: bytes, *, key: Path | None = None) -> tuple[DeletionCertificate, Sha256]:
    """Verify a certificate.

    Args:
        raw: The certificate file's content.
        key: The public key that should have signed it; the trust folder's keys by default.

    Returns:
        The certificate, and the id of the key that signed it.

    Raises:
        SetupError: If no key is trusted.
    """
    if key is not None:
        public = read_public_key(key)
        trusted = {key_id(public): public}
    elif not (trusted := public_keys_in(trust_folder())):
        raise SetupError(f"no key is trusted; give the issuer's with --key, or put it in {trust_folder()}")
    statement, signer = verify_signature(raw, trusted)
    return statement.predicate, signer


def _digest(model: Path) -> Sha256:
    """Return the digest of the model's file.

    Raises:
        SetupError: If it cannot be read.
    """
    try:
        return file_digest(model)
    except OSError as error:
        raise SetupError(f"cannot read the model {model}: {error.strerror}") from error


def _summary(certified: DeletionCertificate, *, signer: Sha256, model_checked: bool) -> Summary:
    """Select what a reader asks first."""
    verdict, provenance, group = certified.judgement.verdict, certified.provenance, certified.group
    return {
        "signed_by": signer,
        "request": certified.request.id,
        "group": None if group is None else f"{group.id} of {len(group.members)} requests",
        "scope": certified.request.kind,
        "method": str(certified.method["name"]),
        "extensions": "; ".join(f"{one}, code {one.code}" for one in certified.extensions) or None,
        "verdict": verdict.verdict,
        "removed": verdict.removal or NOT_JUDGED,
        "evidence_level": verdict.level,
        "model": certified.models.unlearned,
        "model_checked": model_checked,
        "parent": certified.models.parent,
        "started": provenance.started,
        "finished": provenance.finished,
        "commit": provenance.commit,
        "dirty": provenance.dirty,
        "note": certified.note,
    }
