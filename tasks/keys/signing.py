"""What keys are for: signing a statement, verifying a certificate, making a pseudonym.

1. ``init_keys(home())``            once, on a new machine
2. ``pseudonymise(load_pseudonym_key(), "sample", id)``   while a request is resolved
3. ``sign_statement(statement)``    at the end of a deletion
4. ``verify(raw, public_keys_in(trust_folder()))``   by anybody, later

``tasks.keys.folder`` keeps the keys, ``tasks.keys.trust`` reads those of others; their most used functions
are exported here too.
"""

import hashlib
import hmac
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from tasks.checkout.environment import now
from tasks.checkout.regular import read_regular
from tasks.keys.folder import (
    home,
    init_keys,
    key_id,
    load_pseudonym_key,
    load_signer,
    trust_folder,
)
from tasks.keys.trust import public_keys_in, read_public_key
from unlearn_core.audit.certificate import check
from unlearn_core.audit.envelope import MAX_BYTES, decode_envelope, encode, pae, read_judged, read_statement
from unlearn_core.audit.judged import check_judged
from unlearn_core.errors import EvidenceError, SetupError
from unlearn_core.records.base import Pseudonym, Sha256
from unlearn_core.records.certificate import Statement
from unlearn_core.records.judged import JudgedCertificate, JudgedStatement

__all__ = [
    "home",
    "trust_folder",
    "init_keys",
    "load_signer",
    "load_pseudonym_key",
    "read_public_key",
    "public_keys_in",
    "key_id",
    "require_keys",
    "pseudonymise",
    "sign_statement",
    "read_certificate",
    "verify_signature",
    "verify_judged",
    "verify_payload",
]


def require_keys() -> None:
    """Raise early if the work could not be resolved, or signed at the end.

    Raises:
        SetupError: If the signing key or the pseudonym key is missing or unusable.
    """
    load_signer()
    load_pseudonym_key()


def pseudonymise(key: bytes, kind: Literal["sample", "subject"], identifier: str) -> Pseudonym:
    """Return an identifier's pseudonym; without the key nobody can tell or guess the identifier.

    Args:
        key: The pseudonym key.
        kind: What is named; a sample and a subject of the same name get different pseudonyms.
        identifier: The name.

    Returns:
        ``hmac-sha256:`` and 64 hexadecimal digits.
    """
    message = b"lethe.pseudonym/1\0" + kind.encode() + b"\0" + identifier.encode()
    return "hmac-sha256:" + hmac.digest(key, message, hashlib.sha256).hex()


def sign_statement(statement: Statement | JudgedStatement, signer: Ed25519PrivateKey | None = None) -> bytes:
    """Sign a statement.

    Args:
        statement: What is stated; its parts must agree.
        signer: The key; ``load_signer()`` by default.

    Returns:
        The certificate file's content.

    Raises:
        EvidenceError: If the parts contradict one another: what verification would refuse is not signed.
        SetupError: If there is no usable key.
    """
    if isinstance(statement, JudgedStatement):
        check_judged(statement, now=now())
    else:
        check(statement, now=now())
    return sign_payload(statement.canonical(), signer or load_signer())


def sign_payload(payload: bytes, signer: Ed25519PrivateKey) -> bytes:
    """Sign the canonical JSON of a statement whose parts agree, and return the envelope."""
    return encode(payload, signer.sign(pae(payload)), key_id(signer.public_key()))


def read_certificate(path: Path) -> bytes:
    """Read a certificate file, up to the size limit of certificates.

    Args:
        path: The file.

    Returns:
        Its content; cut at one byte over the limit if too long, which ``verify_signature`` then refuses.

    Raises:
        SetupError: If it cannot be read.
    """
    try:
        return read_regular(path, MAX_BYTES + 1)
    except OSError as error:
        raise SetupError(f"cannot read the certificate {path}: {error.strerror}") from error


def verify_signature(raw: bytes, keys: Mapping[Sha256, Ed25519PublicKey]) -> tuple[Statement, Sha256]:
    """Verify the certificate of a deletion: its bytes, then its signature, and only then its content.

    Args:
        raw: The certificate file's whole content.
        keys: The trusted keys by their ids; nothing in the certificate can add to them.

    Returns:
        The statement, and the id of the key that signed it.

    Raises:
        EvidenceError: If the bytes, the signature or the content are not valid, or it is of another kind.
    """
    payload, keyid = verify_payload(raw, keys)
    statement = read_statement(payload)
    check(statement, now=now())
    return statement, keyid


def verify_judged(payload: bytes) -> JudgedCertificate:
    """Verify the content of a certificate of a model that was judged and not made.

    Args:
        payload: What ``verify_payload`` returned.

    Returns:
        The certificate.

    Raises:
        EvidenceError: If it is of another kind, or its parts contradict one another.
    """
    statement = read_judged(payload)
    check_judged(statement, now=now())
    return statement.predicate


def verify_payload(raw: bytes, keys: Mapping[Sha256, Ed25519PublicKey]) -> tuple[bytes, Sha256]:
    """Verify the bytes of a certificate of any kind and its signature; the content is still to be checked.

    Args:
        raw: The certificate file's whole content.
        keys: The trusted keys by their ids.

    Returns:
        The signed bytes, and the id of the key that signed them.

    Raises:
        EvidenceError: If the bytes or the signature are not valid.
    """
    payload, signature, keyid = decode_envelope(raw)
    if keyid not in keys:
        known = ", ".join(sorted(keys)) or "none"
        raise EvidenceError(
            f"signed by {keyid}, which is not trusted (trusted: {known}); get the issuer's key"
        )
    try:
        keys[keyid].verify(signature, pae(payload))
    except InvalidSignature as error:
        raise EvidenceError(
            f"the signature is not {keyid}'s over this content; the file was altered"
        ) from error
    return payload, keyid
