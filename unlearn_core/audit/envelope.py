"""The signed envelope: DSSE, in exactly one spelling.

A certificate is bytes before it is anything else. The rules here take bytes and return bytes, so that nothing
is interpreted before its signature is verified::

    decode(raw) -> payload, signature, keyid      the envelope, byte for byte
    (verify the signature over pae(payload))
    read_statement(payload) -> Statement          the content, canonical as well

DSSE 1.0.2: https://github.com/secure-systems-lab/dsse/blob/master/protocol.md
"""

import base64
import json
import re
from typing import Any, NamedTuple, NoReturn, TypeVar, cast

from unlearn_core.errors import ConfigurationError, EvidenceError
from unlearn_core.records.base import Sha256, canonical_json
from unlearn_core.records.certificate import Statement
from unlearn_core.records.judged import JUDGED_TYPE, JudgedStatement

_Read = TypeVar("_Read", Statement, JudgedStatement)

PAYLOAD_TYPE = "application/vnd.in-toto+json"
MAX_BYTES = 4 * 1024 * 1024

# Canonical JSON leaves an envelope with one spelling, so one pattern is the whole grammar: the keys,
# their order, one signature of 64 bytes, and the newline at the end. Nothing unknown can hide in it.
_ENVELOPE = re.compile(
    rb'\{"payload":"([A-Za-z0-9+/]+={0,2})","payloadType":"application/vnd\.in-toto\+json",'
    rb'"signatures":\[\{"keyid":"(sha256:[0-9a-f]{64})","sig":"([A-Za-z0-9+/]{86}==)"\}\]\}\n'
)


class Envelope(NamedTuple):
    """The three things that an envelope holds, none of them verified."""

    payload: bytes
    signature: bytes
    keyid: Sha256


def pae(payload: bytes, payload_type: str = PAYLOAD_TYPE) -> bytes:
    """Return the bytes that are signed: DSSE's pre-authentication encoding.

    Args:
        payload: The statement's bytes.
        payload_type: What they are.

    Returns:
        ``DSSEv1 LEN(type) type LEN(payload) payload``, so that no part can pass for another.
    """
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def encode(payload: bytes, signature: bytes, keyid: Sha256) -> bytes:
    """Write an envelope.

    Args:
        payload: The statement's canonical JSON.
        signature: The Ed25519 signature over ``pae(payload)``, 64 bytes.
        keyid: The signing key's digest.

    Returns:
        The canonical JSON of the envelope and one newline.

    Raises:
        EvidenceError: If ``decode_envelope`` would refuse the result.
    """
    signed = {"keyid": keyid, "sig": base64.b64encode(signature).decode()}
    body = {
        "payload": base64.b64encode(payload).decode(),
        "payloadType": PAYLOAD_TYPE,
        "signatures": [signed],
    }
    raw = canonical_json(body) + b"\n"
    if decode_envelope(raw) != (payload, signature, keyid):
        raise EvidenceError("the envelope does not read back as it was written; sign again")
    return raw


def decode_envelope(raw: bytes) -> Envelope:
    """Take an envelope apart, if it is byte for byte as ``encode`` writes it.

    Args:
        raw: A certificate file's whole content.

    Returns:
        Payload, signature and key id. The signature is *not* verified.

    Raises:
        EvidenceError: If a single byte differs from the canonical encoding.
    """
    if len(raw) > MAX_BYTES:
        raise EvidenceError(
            f"more than {MAX_BYTES} bytes; no certificate is that long: is it the right file?"
        )
    if (found := _ENVELOPE.fullmatch(raw)) is None:
        _explain(raw)
    payload, keyid, signature = found.groups()
    return Envelope(_base64(payload, "payload"), _base64(signature, "signature"), keyid.decode())


def read_statement(payload: bytes) -> Statement:
    """Read the statement of a deletion out of a payload whose signature has been verified.

    Args:
        payload: The verified bytes.

    Returns:
        The statement.

    Raises:
        EvidenceError: If the bytes are not the canonical JSON of a statement that this version knows, or it
            is about a model that was judged and not made.
    """
    if is_judged(payload):
        raise EvidenceError(
            "it is the certificate of a model that Lethe judged and did not make; expected the certificate "
            "of a deletion. `lethe-verify` reads both, and says which"
        )
    return _read(payload, Statement)


def read_judged(payload: bytes) -> JudgedStatement:
    """Read the statement about a judged model out of a payload whose signature has been verified.

    Args:
        payload: The verified bytes.

    Returns:
        The statement.

    Raises:
        EvidenceError: If the bytes are not the canonical JSON of such a statement.
    """
    if not is_judged(payload):
        raise EvidenceError("it is not the certificate of a model that was judged and not made")
    return _read(payload, JudgedStatement)


def is_judged(payload: bytes) -> bool:
    """Tell whether verified bytes say that they are about a model that was judged and not made."""
    stated = _canonical(payload)
    return isinstance(stated, dict) and cast("dict[str, Any]", stated).get("predicateType") == JUDGED_TYPE


def _read(payload: bytes, kind: type[_Read]) -> _Read:
    """Read a statement of one kind, whose bytes are in canonical form."""
    try:
        return kind.parse(payload)
    except ConfigurationError as error:
        raise EvidenceError(f"{error}\nIf a newer Lethe wrote it, verify it with that version.") from error


def _canonical(payload: bytes) -> Any:
    """Return the JSON value of a payload in canonical form.

    Canonicity is judged on the JSON itself and not on the parsed record, so that a field added with a
    default later does not make an old certificate false.

    Raises:
        EvidenceError: If it is not JSON, or not in canonical form.
    """
    try:
        value = json.loads(payload.decode())
        canonical = canonical_json(value) == payload
    except (ValueError, RecursionError) as error:
        raise EvidenceError(f"the payload is not JSON ({error}); ask the issuer for the original") from error
    if not canonical:
        raise EvidenceError(
            "the payload is not in canonical form (sorted keys, none twice, no white space, "
            "shortest numbers); ask the issuer for a certificate written by Lethe"
        )
    return value


def canonical_text(payload: bytes) -> str:
    """Return a payload as text, if it is canonical JSON.

    Args:
        payload: The verified bytes.

    Returns:
        The text.

    Raises:
        EvidenceError: If it is not JSON, or in another spelling.
    """
    _canonical(payload)
    return payload.decode()


def _base64(text: bytes, what: str) -> bytes:
    """Decode base64 that has one spelling: correct padding, and no bits after the last byte."""
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError as error:
        raise EvidenceError(f"the {what} is not base64 ({error}); the file was altered or cut") from error
    if base64.b64encode(data) != text:
        raise EvidenceError(f"the {what} has stray bits after its last byte; the file was altered")
    return data


def _explain(raw: bytes) -> NoReturn:
    """Say what came in place of an envelope.

    Raises:
        EvidenceError: Always.
    """
    expected = (
        "expected a Lethe certificate: a canonical DSSE envelope with one signature and a final newline"
    )
    if not raw:
        raise EvidenceError(f"the file is empty; {expected}")
    try:
        value: Any = json.loads(raw.decode())
    except (ValueError, RecursionError) as error:
        raise EvidenceError(f"not JSON ({error}); {expected}") from error
    if isinstance(value, dict) and "payload" in value and "signatures" in value:
        raise EvidenceError(
            f"a DSSE envelope, but altered or reformatted; {expected}; ask for the original bytes"
        )
    raise EvidenceError(f"JSON, but of another kind; {expected}")
