"""Time stamps of a real authority, over real HTTP: what is verified, what is refused, what stops nothing.

Each of these must turn red: a stamp of other content, by an authority that nobody believes, from before the
signature or with another nonce that is taken for a good one; a call to anybody where none is configured.
"""

import json
import shutil

import pytest
from world import ROOT

from flows.cli.lethe_verify import main
from tasks.evidence.anchoring import believed_authorities, read_stamp, require_after, stamp_of
from tasks.evidence.stamping import stamp_file, stamp_if_wanted
from tasks.keys.signing import sign_statement
from unlearn_core.audit.envelope import decode_envelope
from unlearn_core.errors import EvidenceError, SetupError, UnavailableError
from unlearn_core.records.base import canonical_json
from unlearn_core.records.certificate import Statement

GOLDEN = ROOT / "tests/golden"
KEY = GOLDEN / "certificates-2026-11.pub"
FALSE, NOT_CHECKED = 6, 2


@pytest.fixture
def certificate(tmp_path):
    shutil.copy(GOLDEN / "certificate-digits.dsse.json", tmp_path / "certificate.dsse.json")
    return tmp_path / "certificate.dsse.json"


def verified(*arguments):
    return main([str(one) for one in arguments])


def test_a_stamp_says_when_and_according_to_whom(notary, certificate, capsys):
    anchor = stamp_file(certificate)
    assert anchor.authority == "C=XX,CN=A Notary"
    assert verified(certificate, "--key", KEY) == 0
    assert f"when       {anchor.time} at the latest, according to C=XX,CN=A Notary" in capsys.readouterr().out
    assert verified(certificate, "--key", KEY, "--json") == 0
    assert json.loads(capsys.readouterr().out)["anchored"] == anchor._asdict()


def test_a_file_is_stamped_once_and_again_when_it_changes(notary, certificate):
    asked, first = notary.asked, stamp_file(certificate)
    assert stamp_file(certificate) == first
    assert notary.asked == asked + 1
    certificate.write_bytes(certificate.read_bytes() + b" ")
    stamp_file(certificate)
    assert notary.asked == asked + 2
    read_stamp(stamp_of(certificate).read_bytes(), certificate.read_bytes(), believed_authorities())


@pytest.mark.parametrize("name", ["certificate.dsse.json", "inventory.dsse.json", "head-12.json"])
def test_a_stamp_lies_beside_any_statement_under_its_name(tmp_path, name):
    assert stamp_of(tmp_path / name) == tmp_path / f"{name.split('.', maxsplit=1)[0]}.tsr"


def test_without_a_stamp_it_is_said_that_nobody_says_when(certificate, capsys):
    assert verified(certificate, "--key", KEY) == 0
    assert "when       not anchored: no time stamp" in capsys.readouterr().out


def test_a_stamp_whose_authority_the_reader_does_not_know_anchors_nothing(
    notary, certificate, capsys, monkeypatch
):
    stamp_file(certificate)
    monkeypatch.delenv("LETHE_TSA_CA")
    assert verified(certificate, "--key", KEY) == 0
    assert "not anchored: certificate.tsr lies beside it, but no" in capsys.readouterr().out
    assert verified(certificate, "--key", KEY, "--stamp", stamp_of(certificate)) == NOT_CHECKED


def test_a_stamp_by_an_authority_that_is_not_believed_is_false(notary, authorities, certificate, capsys):
    stamp_file(certificate)
    assert verified(certificate, "--key", KEY, "--tsa-ca", authorities[1].root) == FALSE
    assert "an authority that is not believed" in capsys.readouterr().err


def test_a_stamp_of_another_file_is_false(notary, certificate, tmp_path, capsys):
    other = tmp_path / "other.dsse.json"
    other.write_bytes(b"another")
    stamp_file(other)
    stamp_of(other).rename(stamp_of(certificate))
    assert verified(certificate, "--key", KEY) == FALSE
    assert "of other content" in capsys.readouterr().err


def test_no_changed_byte_of_a_stamp_changes_what_it_says(notary, certificate):
    anchor, raw = stamp_file(certificate), stamp_of(certificate).read_bytes()
    content, believed = certificate.read_bytes(), believed_authorities()
    for place in range(len(raw)):
        changed = raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :]
        try:
            assert read_stamp(changed, content, believed) == anchor
        except EvidenceError:
            continue


@pytest.mark.parametrize("raw", [b"", b"no stamp", bytes(70_000)])
def test_what_is_no_stamp_is_false(notary, certificate, raw, capsys):
    stamp_of(certificate).write_bytes(raw)
    assert verified(certificate, "--key", KEY) == FALSE
    assert "RFC 3161" in capsys.readouterr().err


def test_a_stamp_from_before_the_signature_or_from_the_future_is_refused(notary, certificate):
    anchor = stamp_file(certificate)
    require_after(anchor, anchor.time, now=anchor.time)
    with pytest.raises(EvidenceError, match="before it was signed"):
        require_after(anchor, "2099-01-01T00:00:00Z", now="2099-01-02T00:00:00Z")
    with pytest.raises(EvidenceError, match="in the future"):
        require_after(anchor, "2020-01-01T00:00:00Z", now="2020-01-02T00:00:00Z")


def test_the_verifier_refuses_a_stamp_from_before_the_run_that_is_certified(
    notary, certificate, tmp_path, capsys, monkeypatch
):
    for place in ("tasks.keys.signing.now", "tasks.evidence.attestation.now"):
        monkeypatch.setattr(place, lambda: "2098-01-01T00:00:00Z")
    tree = json.loads(decode_envelope(certificate.read_bytes()).payload)
    times = {"started": "2097-12-31T23:00:00Z", "finished": "2097-12-31T23:30:00Z"}
    tree["predicate"]["provenance"] |= times
    certificate.write_bytes(sign_statement(Statement.parse(canonical_json(tree))))
    stamp_file(certificate)
    assert main([str(certificate)]) == FALSE
    assert "before it was signed at 2097-12-31T23:30:00Z" in capsys.readouterr().err


def test_an_authority_that_is_away_stops_nothing_and_is_told(notary, certificate, caplog):
    notary.says = (503, b"")
    with pytest.raises(UnavailableError, match="answered with status 503"):
        stamp_file(certificate)
    stamp_if_wanted(certificate, later="lethe evidence stamp r-17")
    assert "not stamped" in caplog.text
    assert "lethe evidence stamp r-17" in caplog.text
    assert not stamp_of(certificate).exists()


def test_nobody_at_the_address_stops_nothing(notary, certificate, monkeypatch, caplog):
    monkeypatch.setenv("LETHE_TSA_URL", "http://127.0.0.1:9/tsr")
    stamp_if_wanted(certificate, later="lethe evidence stamp r-17")
    assert "did not answer" in caplog.text


def test_an_answer_to_another_query_is_not_kept(notary, certificate, tmp_path):
    other = tmp_path / "other.json"
    other.write_bytes(certificate.read_bytes())
    stamp_file(other)
    notary.says = (200, stamp_of(other).read_bytes())
    with pytest.raises(EvidenceError, match="nonce"):
        stamp_file(certificate)
    notary.says = (200, b"welcome")
    with pytest.raises(EvidenceError, match="no time stamp"):
        stamp_file(certificate)
    assert not stamp_of(certificate).exists()


def test_a_good_stamp_stays_while_no_better_one_is_to_be_had(notary, authorities, certificate, monkeypatch):
    stamp_file(certificate)
    kept = stamp_of(certificate).read_bytes()
    monkeypatch.setenv("LETHE_TSA_CA", str(authorities[1].root))
    with pytest.raises(EvidenceError):
        stamp_file(certificate)
    assert stamp_of(certificate).read_bytes() == kept


def test_without_an_address_nobody_is_asked(authorities, certificate, monkeypatch, caplog):
    asked = authorities[0].asked
    stamp_if_wanted(certificate, later="")
    monkeypatch.setenv("LETHE_TSA_CA", str(authorities[0].root))
    stamp_if_wanted(certificate, later="")
    with pytest.raises(SetupError, match="LETHE_TSA_URL"):
        stamp_file(certificate)
    assert (authorities[0].asked, caplog.text) == (asked, "")


def test_a_stamp_that_nobody_could_check_is_not_asked_for(authorities, certificate, tmp_path, monkeypatch):
    monkeypatch.setenv("LETHE_TSA_URL", authorities[0].url)
    with pytest.raises(SetupError, match="LETHE_TSA_CA"):
        stamp_file(certificate)
    (tmp_path / "ca.pem").write_text("nothing")
    monkeypatch.setenv("LETHE_TSA_CA", str(tmp_path / "ca.pem"))
    with pytest.raises(SetupError, match="holds no certificate"):
        stamp_file(certificate)
