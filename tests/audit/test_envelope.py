"""An envelope has one spelling, and nothing else is read."""

import base64
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unlearn_core.audit.envelope import MAX_BYTES, PAYLOAD_TYPE, decode_envelope, encode, pae, read_statement
from unlearn_core.errors import EvidenceError
from unlearn_core.records.base import canonical_json

GOLDEN = Path(__file__).parents[1] / "golden" / "certificate-v1.dsse.json"
KEYID = "sha256:" + "0a" * 32
SIGNATURE = bytes(range(64))
GOOD = encode(b"payload", SIGNATURE, KEYID)
BODY = json.loads(GOOD)


def test_pae_is_the_specifications_example():
    assert pae(b"hello world", "http://example.com/HelloWorld") == (
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )


def test_pae_counts_bytes_not_characters():
    assert pae("é".encode()) == b"DSSEv1 28 application/vnd.in-toto+json 2 \xc3\xa9"


def test_an_envelope_is_canonical_json_and_one_newline():
    signed = {"keyid": KEYID, "sig": base64.b64encode(SIGNATURE).decode()}
    body = {"payload": "cGF5bG9hZA==", "payloadType": PAYLOAD_TYPE, "signatures": [signed]}
    assert canonical_json(body) + b"\n" == GOOD


@given(st.binary(min_size=1), st.binary(min_size=64, max_size=64), st.binary(min_size=32, max_size=32))
def test_what_is_encoded_decodes(payload: bytes, signature: bytes, key: bytes):
    keyid = "sha256:" + key.hex()
    assert decode_envelope(encode(payload, signature, keyid)) == (payload, signature, keyid)


@given(st.binary())
def test_arbitrary_bytes_are_refused(raw: bytes):
    with pytest.raises(EvidenceError):
        decode_envelope(raw)


@pytest.mark.parametrize(
    ("payload", "signature", "keyid"),
    [
        (b"", SIGNATURE, KEYID),
        (b"x", SIGNATURE[:63], KEYID),
        (b"x", SIGNATURE + b"x", KEYID),
        (b"x", SIGNATURE, KEYID.upper()),
        (b"x", SIGNATURE, "my key"),
    ],
)
def test_what_would_be_refused_is_not_written(payload: bytes, signature: bytes, keyid: str):
    with pytest.raises(EvidenceError):
        encode(payload, signature, keyid)


def body(**changes: object) -> bytes:
    return canonical_json({**BODY, **changes}) + b"\n"


def signature(**changes: object) -> bytes:
    return body(signatures=[{**BODY["signatures"][0], **changes}])


REFUSED = {
    "nothing": b"",
    "a newline": b"\n",
    "no newline at the end": GOOD[:-1],
    "two newlines at the end": GOOD + b"\n",
    "a carriage return": GOOD[:-1] + b"\r\n",
    "something behind the end": GOOD + b"{}",
    "a byte order mark": b"\xef\xbb\xbf" + GOOD,
    "UTF-16": GOOD.decode().encode("utf-16"),
    "not UTF-8": b"\xff" + GOOD,
    "a space in front": b" " + GOOD,
    "spaces inside": json.dumps(BODY, sort_keys=True).encode() + b"\n",
    "indentation": json.dumps(BODY, sort_keys=True, indent=1, separators=(",", ":")).encode() + b"\n",
    "keys in another order": json.dumps(dict(reversed(BODY.items())), separators=(",", ":")).encode() + b"\n",
    "a key twice": GOOD.replace(b'{"payload":', b'{"payload":"eA==","payload":', 1),
    "a signature's key twice": GOOD.replace(b'"sig":', b'"sig":"eA==","sig":'),
    "an unknown key": body(zeal=1),
    "an unknown key in the signature": signature(zeal=1),
    "a certificate for its own key": signature(cert="-----BEGIN CERTIFICATE-----"),
    "a missing key": canonical_json({k: v for k, v in BODY.items() if k != "payloadType"}) + b"\n",
    "no signature": body(signatures=[]),
    "two signatures": body(signatures=BODY["signatures"] * 2),
    "signatures not in a list": body(signatures=BODY["signatures"][0]),
    "another payload type": body(payloadType="text/plain"),
    "an escaped character": GOOD.replace(b'"cGF5', b'"\\u0063GF5'),
    "a number as payload": body(payload=1),
    "an empty payload": body(payload=""),
    "no padding": body(payload="cGF5bG9hZA"),
    "too little padding": body(payload="cGF5bG9hZA="),
    "too much padding": body(payload="cGF5bG9hZDE=="),
    "one character too many": body(payload="cGF5bG9hZA==A"),
    "stray bits after the payload": body(payload="cGF5bG9hZB=="),
    "stray bits after the signature": GOOD.replace(b'Pw=="', b'Px=="'),
    "base64 for addresses": body(payload="_-_-"),
    "white space in base64": body(payload="cGF5 bG9hZA=="),
    "a short signature": signature(sig=base64.b64encode(SIGNATURE[:63]).decode()),
    "a long signature": signature(sig=base64.b64encode(SIGNATURE + b"x").decode()),
    "a key id in capitals": signature(keyid="sha256:" + "0A" * 32),
    "a key id without its algorithm": signature(keyid="0a" * 32),
    "an empty key id": signature(keyid=""),
    "a list": b"[]\n",
    "a deep list": b"[" * 100_000 + b"]" * 100_000,
    "another JSON document": b'{"a":1}\n',
    "too many bytes": GOOD + b"\n" * MAX_BYTES,
}


@pytest.mark.parametrize("raw", REFUSED.values(), ids=REFUSED.keys())
def test_another_spelling_is_refused(raw: bytes):
    assert raw != GOOD
    with pytest.raises(EvidenceError, match=r"\w"):
        decode_envelope(raw)


def statement_text() -> str:
    return decode_envelope(GOLDEN.read_bytes()).payload.decode()


NOT_A_STATEMENT = {
    "nothing": ("", "not JSON"),
    "a space at the end": (statement_text() + " ", "canonical"),
    "a newline at the end": (statement_text() + "\n", "canonical"),
    "a space inside": (statement_text().replace(":", ": ", 1), "canonical"),
    "a byte order mark": ("\ufeff" + statement_text(), "not JSON"),
    "a key twice": (statement_text().replace('{"_type":', '{"_type":"x","_type":', 1), "canonical"),
    "another spelling of a number": (statement_text().replace("41.25", "41.250"), "canonical"),
    "an exponent": (statement_text().replace("41.25", "4.125e1"), "canonical"),
    "not a number": (statement_text().replace("41.25", "NaN"), "not JSON"),
    "an infinity": (statement_text().replace("41.25", "1e999"), "not JSON"),
    "an endless number": (statement_text().replace("41.25", "9" * 5000), "not JSON"),
    "an escaped letter": (statement_text().replace('"pgu"', '"\\u0070gu"'), "canonical"),
    "half a character": (statement_text().replace('"pgu"', '"\\ud800"'), "not JSON"),
    "depth": ("[" * 100_000 + "]" * 100_000, "not JSON"),
    "an array": ("[]", "Statement is not valid"),
    "another kind of statement": (statement_text().replace("Statement/v1", "Statement/v0.1"), "_type"),
    "another predicate": (statement_text().replace("certificate/v1", "certificate/v2"), "predicateType"),
    "another schema": (
        statement_text().replace("lethe.certificate/1", "lethe.certificate/2"),
        "schema_version",
    ),
    "no type": (statement_text().replace('"_type":"https://in-toto.io/Statement/v1",', ""), "_type"),
    "no schema": (statement_text().replace('"schema_version":"lethe.certificate/1",', ""), "schema_version"),
    "an unknown key": (statement_text()[:-1] + ',"zeal":1}', "zeal"),
    "a string for a number": (statement_text().replace("41.25", '"41.25"'), "seconds"),
}


@pytest.mark.parametrize(("text", "reason"), NOT_A_STATEMENT.values(), ids=NOT_A_STATEMENT.keys())
def test_a_payload_that_is_not_our_canonical_statement_is_refused(text: str, reason: str):
    assert text != statement_text()
    with pytest.raises(EvidenceError, match=reason):
        read_statement(text.encode())


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "latin-1"])
def test_a_payload_in_another_encoding_is_refused(encoding: str):
    text = statement_text().replace('"note":null', '"note":"é"')
    with pytest.raises(EvidenceError, match="not JSON"):
        read_statement(text.encode(encoding))
