"""Witnesses of a certificate: who counts as one, and what is refused; the certificate stays the same bytes.

Each of these must turn red: an issuer who is their own witness; a signature of other content, or of a key
that nobody knows, that counts; an envelope with a second spelling.
"""

import json
import shutil

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st
from world import ROOT

from flows.cli.lethe_verify import main
from tasks.evidence.witnessing import countersign
from tasks.keys.folder import home, init_keys, public_pem
from tasks.keys.signing import key_id, read_public_key
from tasks.keys.trust import trust_key
from unlearn_core.audit.countersigning import countersigned, signed_bytes, take_apart
from unlearn_core.audit.envelope import decode_envelope
from unlearn_core.errors import EvidenceError, SetupError

GOLDEN = ROOT / "tests/golden"
ISSUED, ISSUER = (GOLDEN / "certificate-digits.dsse.json").read_bytes(), GOLDEN / "certificates-2026-11.pub"
FALSE = 6
KEYS = [Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32) for number in range(1, 4)]


@pytest.fixture
def certificate(tmp_path, monkeypatch):
    """A certificate on the machine of a witness, who trusts its issuer."""
    monkeypatch.setenv("LETHE_HOME", str(tmp_path / "witness"))
    init_keys(home())
    trust_key(ISSUER)
    shutil.copy(GOLDEN / "certificate-digits.dsse.json", tmp_path / "certificate.dsse.json")
    return tmp_path / "certificate.dsse.json"


def verified(*arguments):
    return main([str(one) for one in (*arguments, "--key", ISSUER)])


def signatures(*keys):
    return {key_id(one.public_key()): one.sign(signed_bytes(ISSUED)) for one in keys}


def test_a_witness_is_counted_by_those_who_know_their_key(certificate, capsys):
    place, witness = countersign(certificate)
    assert verified(certificate, "--witness", home() / "signing.pub") == 0
    assert f"witnessed  1 of the 1 known, 1 needed: {witness}" in capsys.readouterr().out
    assert verified(place, "--witness", home() / "signing.pub", "--json") == 0
    assert json.loads(capsys.readouterr().out)["witnessed_by"] == [witness]
    assert certificate.read_bytes() == ISSUED


def test_a_witness_whom_nobody_knows_does_not_count(certificate, capsys):
    countersign(certificate)
    assert verified(certificate) == 0
    assert "0 of the 0 known, 0 needed; 1 more that nobody here knows" in capsys.readouterr().out
    assert verified(certificate, "--threshold", 1) == FALSE
    assert "0 of the 0 known witnesses, and 1 must have" in capsys.readouterr().err


def test_keys_in_the_folder_of_witnesses_count_and_issue_nothing(certificate, capsys):
    _, witness = countersign(certificate)
    _, place = trust_key(home() / "signing.pub", witness=True)
    assert place.parent == home() / "witnesses"
    assert verified(certificate, "--threshold", 1) == 0
    assert witness in capsys.readouterr().out
    (home() / "trusted").rename(home() / "gone")
    assert main([str(certificate)]) == 2


def test_every_witness_that_is_asked_for_must_have_signed(certificate, tmp_path, capsys):
    countersign(certificate)
    other = tmp_path / "other.pub"
    other.write_bytes(public_pem(KEYS[0].public_key()))
    both = ("--witness", home() / "signing.pub", "--witness", other)
    assert verified(certificate, *both) == FALSE
    assert verified(certificate, *both, "--threshold", 1) == 0


def test_an_issuer_is_not_their_own_witness(certificate, tmp_path, monkeypatch):
    from tasks.keys.signing import sign_statement, verify_signature

    issuer = read_public_key(ISSUER)
    statement, _ = verify_signature(ISSUED, {key_id(issuer): issuer})
    certificate.write_bytes(sign_statement(statement))
    with pytest.raises(SetupError, match="nobody is their own witness"):
        countersign(certificate)
    with pytest.raises(EvidenceError):
        countersigned(ISSUED, {key_id(issuer): bytes(64)})


def test_nobody_countersigns_what_they_do_not_trust_or_what_was_altered(certificate):
    certificate.write_bytes(ISSUED.replace(b'"sig":"', b'"sig":"A', 1))
    with pytest.raises(EvidenceError):
        countersign(certificate)
    certificate.write_bytes(ISSUED)
    shutil.rmtree(home() / "trusted")
    with pytest.raises(SetupError, match="no key is trusted"):
        countersign(certificate)


def test_a_false_signature_of_a_known_witness_is_refused(certificate, tmp_path, capsys):
    known = tmp_path / "known.pub"
    known.write_bytes(public_pem(KEYS[0].public_key()))
    false = countersigned(ISSUED, {key_id(KEYS[0].public_key()): bytes(64)})
    (tmp_path / "certificate.witness-0.dsse.json").write_bytes(false)
    assert verified(certificate, "--witness", known) == FALSE
    assert "is not over this content" in capsys.readouterr().err


def test_a_witness_of_another_certificate_is_refused(certificate, tmp_path, capsys):
    other = (GOLDEN / "certificate-group.dsse.json").read_bytes()
    more = {key_id(KEYS[0].public_key()): KEYS[0].sign(signed_bytes(other))}
    (tmp_path / "certificate.witness-0.dsse.json").write_bytes(countersigned(other, more))
    assert verified(certificate) == FALSE
    assert "is of another certificate" in capsys.readouterr().err


@given(st.permutations(KEYS), st.integers(1, 3))
@settings(deadline=None, max_examples=10)
def test_an_envelope_has_one_spelling_however_it_was_put_together(keys, count):
    chosen = signatures(*keys[:count])
    raw = countersigned(ISSUED, chosen)
    assert take_apart(raw) == (ISSUED, chosen)
    assert [one["keyid"] for one in json.loads(raw)["signatures"][1:]] == sorted(chosen)
    with pytest.raises(EvidenceError):
        decode_envelope(raw)  # what expects a certificate gets no other bytes


def test_signatures_twice_or_in_another_order_are_refused():
    raw = countersigned(ISSUED, signatures(*KEYS[:2]))
    tree = json.loads(raw)
    first, *others = tree["signatures"]
    for wrong in ([first, *others[::-1]], [first, others[0], others[0]], [first, others[0], first]):
        body = {**tree, "signatures": wrong}
        text = json.dumps(body, sort_keys=True, separators=(",", ":")).encode() + b"\n"
        with pytest.raises(EvidenceError, match="in the order of their keys"):
            take_apart(text)


def test_no_cut_or_inserted_byte_after_the_issuers_signature_is_taken_for_a_witness():
    raw = countersigned(ISSUED, signatures(*KEYS[:1]))
    for place in range(len(ISSUED) - 3, len(raw)):
        for changed in (raw[:place] + raw[place + 1 :], raw[:place] + b" " + raw[place:]):
            issued, witnesses = take_apart(changed)
            assert (issued, witnesses) == (changed, {})
