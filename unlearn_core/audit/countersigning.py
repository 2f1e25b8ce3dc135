"""A certificate with the signatures of witnesses: the issuer's envelope, and further signatures in it.

DSSE allows several signatures. There is one spelling here as well: the issuer's signature first, then one of
each witness, in the order of their key ids. So the certificate can be taken out again, byte for byte.
"""

import base64
import re

from unlearn_core.audit.envelope import decode_envelope, pae
from unlearn_core.errors import EvidenceError
from unlearn_core.records.base import Sha256, canonical_json

Signatures = dict[Sha256, bytes]
"""The signatures of witnesses by their key ids, none of them verified."""

_SIGNATURE = rb'\{"keyid":"(sha256:[0-9a-f]{64})","sig":"([A-Za-z0-9+/]{86}==)"\}'
_ISSUED = re.compile(
    rb'(\{"payload":"[A-Za-z0-9+/]+={0,2}","payloadType":"[a-z0-9./+-]+","signatures":\[' + _SIGNATURE + rb")"
)
_WITNESSES = re.compile(rb"(?:," + _SIGNATURE + rb")+")
_END = b"]}\n"


def take_apart(raw: bytes) -> tuple[bytes, Signatures]:
    """Return the certificate as it was issued, and the signatures of witnesses.

    Args:
        raw: A certificate file's content, with or without witnesses.

    Returns:
        The envelope with the issuer's signature alone, and the others; if it is no such envelope, the bytes
        as they are, for ``decode_envelope`` to refuse.

    Raises:
        EvidenceError: If a witness's signature is not in its place, or there twice.
    """
    issued = _ISSUED.match(raw)
    if issued is None or not raw.endswith(_END) or issued.end() + len(_END) == len(raw):
        return raw, {}
    others = raw[issued.end() : -len(_END)]
    if _WITNESSES.fullmatch(others) is None:
        return raw, {}
    found = [(keyid.decode(), sig) for keyid, sig in re.findall(_SIGNATURE, others)]
    ids = [keyid for keyid, _ in found]
    if ids != sorted({*ids} - {issued.group(2).decode()}):
        raise EvidenceError(
            "the witnesses' signatures are not in the order of their keys, each once, after the issuer's; "
            "ask for the original bytes"
        )
    return issued.group(1) + _END, {keyid: _decoded(sig) for keyid, sig in found}


def countersigned(issued: bytes, witnesses: Signatures) -> bytes:
    """Return a certificate with the signatures of witnesses.

    Args:
        issued: The certificate with the issuer's signature alone.
        witnesses: The signatures over ``pae(payload)``, by key id; none is the issuer's.

    Returns:
        The envelope's one spelling.

    Raises:
        EvidenceError: If ``take_apart`` would refuse it.
    """
    added = [{"keyid": one, "sig": base64.b64encode(witnesses[one]).decode()} for one in sorted(witnesses)]
    raw = issued.removesuffix(_END) + b"".join(b"," + canonical_json(one) for one in added) + _END
    if take_apart(raw) != (issued, witnesses):
        raise EvidenceError("the envelope does not read back as it was written; a witness is not the issuer")
    return raw


def signed_bytes(issued: bytes) -> bytes:
    """Return what issuer and witnesses sign of a certificate."""
    return pae(decode_envelope(issued).payload)


def _decoded(sig: bytes) -> bytes:
    raw = base64.b64decode(sig)
    if base64.b64encode(raw) != sig:
        raise EvidenceError("a witness's signature has stray bits after its last byte; the file was altered")
    return raw
