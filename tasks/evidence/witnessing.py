"""Witnesses: a certificate signed a second time, with a key that another person keeps on another machine.

Whoever holds the issuer's key can date and rewrite what it signs. A witness checks a certificate, signs the
same content, and keeps it: what is issued later in its place lacks that signature. Each witness's signature
is in a file of its own beside the certificate, an envelope with both signatures.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from tasks.checkout.files import write_atomically
from tasks.evidence.anchoring import stem_of
from tasks.keys.folder import witness_folder
from tasks.keys.signing import key_id, load_signer, read_certificate, read_public_key, verify_signature
from tasks.keys.trust import public_keys_in, trusted_keys
from unlearn_core.audit.countersigning import Signatures, countersigned, signed_bytes, take_apart
from unlearn_core.errors import EvidenceError, SetupError
from unlearn_core.records.base import Sha256


class Witnessed(NamedTuple):
    """Which of the known witnesses signed a certificate, and how many others did."""

    by: tuple[Sha256, ...]
    others: int


def countersign(certificate: Path) -> tuple[Path, Sha256]:
    """Verify a certificate that somebody else signed, and sign it as a witness.

    Args:
        certificate: The certificate.

    Returns:
        The file with both signatures, beside the certificate, and the id of the witness's key.

    Raises:
        SetupError: If this machine's key is the issuer's.
    """
    issued, _ = take_apart(read_certificate(certificate))
    _, issuer = verify_signature(issued, trusted_keys())
    signer = load_signer()
    if (own := key_id(signer.public_key())) == issuer:
        raise SetupError(
            "this machine's key signed the certificate, and nobody is their own witness; countersign on a "
            "machine of another person, with a key of their own"
        )
    place = certificate.with_name(f"{stem_of(certificate)}.witness-{own[7:23]}.dsse.json")
    write_atomically(place, countersigned(issued, {own: signer.sign(signed_bytes(issued))}))
    return place, own


def witness_files(certificate: Path) -> list[Path]:
    """Return the files in which witnesses signed a certificate, beside it."""
    return sorted(certificate.parent.glob(f"{stem_of(certificate)}.witness-*.dsse.json"))


def witness_keys(given: Sequence[Path] = ()) -> dict[Sha256, Ed25519PublicKey]:
    """Return the public keys of known witnesses: the given ones, else those in the key folder."""
    if not given:
        return public_keys_in(witness_folder())
    return {key_id(key): key for key in map(read_public_key, given)}


def verify_witnesses(
    issued: bytes, inside: Signatures, files: Sequence[Path], keys: Mapping[Sha256, Ed25519PublicKey]
) -> Witnessed:
    """Verify the signatures of the known witnesses of a certificate.

    Args:
        issued: The certificate with the issuer's signature alone, verified.
        inside: The witnesses' signatures that came with it.
        files: The files beside it, with more.
        keys: The keys of the known witnesses.

    Returns:
        Who signed it.

    Raises:
        EvidenceError: If a file is of another certificate, or a known witness's signature is false.
    """
    found = dict(inside)
    for file in files:
        theirs, more = take_apart(read_certificate(file))
        if theirs != issued:
            raise EvidenceError(f"{file.name} is of another certificate; remove it, or have it signed again")
        found |= more
    for keyid in found.keys() & keys.keys():
        try:
            keys[keyid].verify(found[keyid], signed_bytes(issued))
        except InvalidSignature as error:
            raise EvidenceError(f"the signature of the witness {keyid} is not over this content") from error
    by = tuple(sorted(found.keys() & keys.keys()))
    return Witnessed(by, len(found) - len(by))
