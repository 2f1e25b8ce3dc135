"""A signed certificate with any change at all is refused: every bit, every byte, every forger."""

import base64
import json
from collections.abc import Iterable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tasks.keys.signing import key_id, public_keys_in, read_public_key, sign_statement, verify_signature
from unlearn_core.audit.envelope import decode_envelope, encode, pae, read_statement
from unlearn_core.errors import EvidenceError
from unlearn_core.records.base import canonical_json

GOLDEN = Path(__file__).parents[2] / "golden"
CERTIFICATE = (GOLDEN / "certificate-v1.dsse.json").read_bytes()
ISSUER = read_public_key(GOLDEN / "certificate-v1.pub")
TRUSTED = {key_id(ISSUER): ISSUER}
FORGER = Ed25519PrivateKey.from_private_bytes(bytes(32))
PAYLOAD, SIGNATURE, KEYID = decode_envelope(CERTIFICATE)

ORDER = 2**252 + 27742317777372353535851937790883648493
"""The order of Ed25519's base point (RFC 8032, section 5.1)."""


def accepted(candidates: Iterable[tuple[str, bytes]]) -> list[str]:
    """Return the names of the candidates that verify."""
    passed: list[str] = []
    for name, raw in candidates:
        try:
            verify_signature(raw, TRUSTED)
        except EvidenceError:
            continue
        passed.append(name)
    return passed


def test_the_golden_certificate_verifies_for_ever():
    statement, signer = verify_signature(CERTIFICATE, TRUSTED)
    assert signer == KEYID == key_id(ISSUER)
    assert statement.predicate.request.id == "erase-2025-03"
    assert statement.predicate.judgement.verdict.verdict == "passes"


def test_every_flipped_bit_is_noticed():
    def flipped() -> Iterable[tuple[str, bytes]]:
        for place, byte in enumerate(CERTIFICATE):
            for bit in range(8):
                changed = bytes([byte ^ 1 << bit])
                yield f"bit {bit} of byte {place}", CERTIFICATE[:place] + changed + CERTIFICATE[place + 1 :]

    assert accepted(flipped()) == []


def test_every_missing_byte_is_noticed():
    missing = ((f"byte {i}", CERTIFICATE[:i] + CERTIFICATE[i + 1 :]) for i in range(len(CERTIFICATE)))
    assert accepted(missing) == []


@pytest.mark.parametrize("extra", [b"A", b" ", b"\n", b'"', b"=", b"\0"])
def test_every_inserted_byte_is_noticed(extra: bytes):
    inserted = (
        (f"{extra!r} at {i}", CERTIFICATE[:i] + extra + CERTIFICATE[i:]) for i in range(len(CERTIFICATE) + 1)
    )
    assert accepted(inserted) == []


def test_every_value_of_a_byte_is_noticed():
    places = [*range(30), *range(len(CERTIFICATE) - 60, len(CERTIFICATE))]
    others = (
        (f"{value} at {place}", CERTIFICATE[:place] + bytes([value]) + CERTIFICATE[place + 1 :])
        for place in places
        for value in range(256)
        if value != CERTIFICATE[place]
    )
    assert accepted(others) == []


def test_every_cut_is_noticed():
    assert accepted((f"the first {n}", CERTIFICATE[:n]) for n in range(len(CERTIFICATE))) == []


def test_every_flipped_bit_of_the_payload_is_noticed_behind_a_canonical_envelope():
    def flipped() -> Iterable[tuple[str, bytes]]:
        for place, byte in enumerate(PAYLOAD):
            payload = PAYLOAD[:place] + bytes([byte ^ 1]) + PAYLOAD[place + 1 :]
            yield f"byte {place}", encode(payload, SIGNATURE, KEYID)

    assert accepted(flipped()) == []


def test_the_same_signature_in_another_form_is_refused():
    # s + L passes the group equation; RFC 8032, 5.1.7 asks for s < L so that there is one signature only.
    r, s = SIGNATURE[:32], int.from_bytes(SIGNATURE[32:], "little")
    malleable = ((f"s + {n} L", r + (s + n * ORDER).to_bytes(32, "little")) for n in range(1, 9))
    assert accepted((name, encode(PAYLOAD, signature, KEYID)) for name, signature in malleable) == []


def test_a_signature_over_the_bare_payload_is_refused():
    trusted = {key_id(FORGER.public_key()): FORGER.public_key()}
    raw = encode(PAYLOAD, FORGER.sign(PAYLOAD), *trusted)
    with pytest.raises(EvidenceError, match="altered"):
        verify_signature(raw, trusted)


def test_a_signature_over_another_type_is_refused():
    trusted = {key_id(FORGER.public_key()): FORGER.public_key()}
    raw = encode(PAYLOAD, FORGER.sign(pae(PAYLOAD, "text/plain")), *trusted)
    with pytest.raises(EvidenceError, match="altered"):
        verify_signature(raw, trusted)


def test_another_key_is_not_trusted():
    with pytest.raises(EvidenceError, match="not trusted"):
        verify_signature(sign_statement(read_statement(PAYLOAD), FORGER), TRUSTED)


def test_another_key_under_the_issuers_name_is_refused():
    raw = encode(PAYLOAD, FORGER.sign(pae(PAYLOAD)), KEYID)
    with pytest.raises(EvidenceError, match="altered"):
        verify_signature(raw, TRUSTED)


def test_the_issuers_signature_under_another_trusted_name_is_refused():
    both = {**TRUSTED, key_id(FORGER.public_key()): FORGER.public_key()}
    raw = encode(PAYLOAD, SIGNATURE, key_id(FORGER.public_key()))
    with pytest.raises(EvidenceError, match="altered"):
        verify_signature(raw, both)


def test_nobody_is_trusted_by_default():
    with pytest.raises(EvidenceError, match="trusted: none"):
        verify_signature(CERTIFICATE, {})


def test_a_key_offered_by_the_certificate_is_not_trusted():
    forged = json.loads(encode(PAYLOAD, FORGER.sign(pae(PAYLOAD)), key_id(FORGER.public_key())))
    raw_key = base64.b64encode(FORGER.public_key().public_bytes_raw()).decode()
    offers = [
        forged | {"publicKey": raw_key},
        forged | {"signatures": [forged["signatures"][0] | {"cert": raw_key}]},
        forged | {"signatures": [forged["signatures"][0] | {"publicKey": raw_key}]},
        forged,
    ]
    assert accepted((str(offer), canonical_json(offer) + b"\n") for offer in offers) == []


def test_a_signed_payload_is_still_held_to_its_form():
    # The key is trusted and the signature good; white space alone makes it another document.
    trusted = {key_id(FORGER.public_key()): FORGER.public_key()}
    loose = PAYLOAD.replace(b":", b": ")
    with pytest.raises(EvidenceError, match="canonical"):
        verify_signature(encode(loose, FORGER.sign(pae(loose)), *trusted), trusted)


def test_a_signed_contradiction_is_refused():
    trusted = {key_id(FORGER.public_key()): FORGER.public_key()}
    wrong = PAYLOAD.replace(b'"all_succeeded":true', b'"all_succeeded":false')
    with pytest.raises(EvidenceError, match="contradicts itself"):
        verify_signature(encode(wrong, FORGER.sign(pae(wrong)), *trusted), trusted)


def test_the_golden_key_can_be_trusted_by_folder(tmp_path: Path):
    (tmp_path / "issuer.pub").write_bytes((GOLDEN / "certificate-v1.pub").read_bytes())
    verify_signature(CERTIFICATE, public_keys_in(tmp_path))
