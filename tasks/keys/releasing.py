"""The key that released models are signed with: OpenSSF's model signing knows elliptic curves of NIST only.

It is derived from the signing key (HKDF, RFC 5869), so there is no second secret to keep, to hand to workers
or to lose, and a new signing key brings a new one. Neither the public key nor a signature tells anything of
the signing key.
"""

from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
    derive_private_key,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""How many keys P-256 has, and one (NIST SP 800-186, 3.2.1.3)."""


def release_key(signer: Ed25519PrivateKey) -> EllipticCurvePrivateKey:
    """Return the P-256 key that goes with a signing key.

    Args:
        signer: The signing key.

    Returns:
        The key, drawn as FIPS 186-5, A.2.1 has it: from 64 bits more than needed, so that none is likelier.
    """
    drawn = HKDF(SHA256(), length=40, salt=None, info=b"lethe.release-key/1").derive(
        signer.private_bytes_raw()
    )
    return derive_private_key(int.from_bytes(drawn) % (_ORDER - 1) + 1, SECP256R1())


def release_pem(key: EllipticCurvePublicKey) -> bytes:
    """Return a public key as PEM, as model signing hashes and reads it."""
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
