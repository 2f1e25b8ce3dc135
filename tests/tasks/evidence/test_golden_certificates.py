"""Certificates of earlier versions, which every later version must still verify and read as they were meant.

Each of these must turn red: a key that is dropped, renamed or read otherwise; a default that changes the
digest of a policy or a record that was certified before; a rule of the gate under which an old verdict does
not follow from its numbers any more; a verifier that lets a changed byte pass.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from flows.cli.lethe_verify import NOT_JUDGED_AGAIN, main
from tasks.evidence.verification import verify_bytes, verify_files
from unlearn_core.audit.envelope import decode_envelope, encode, read_judged, read_statement
from unlearn_core.errors import EvidenceError
from unlearn_core.records.base import canonical_json

GOLDEN = Path(__file__).parents[2] / "golden"
KEY_OF = {
    "certificate-v1": "certificate-v1.pub",
    "certificate-digits": "certificates-2026-11.pub",
    "certificate-subject": "certificates-2026-11.pub",
    "certificate-group": "certificates-2026-11.pub",
}
SAID = {
    "certificate-v1": {"request": "erase-2025-03", "group": None, "scope": "classes", "evidence_level": "E1"},
    "certificate-digits": {"request": "demo", "group": None, "scope": "classes", "evidence_level": "E1"},
    "certificate-subject": {"request": "drill-1", "group": None, "scope": "subjects", "evidence_level": "E0"},
    "certificate-group": {
        "request": "r-3",
        "group": "group-21fa73817640 of 2 requests",
        "scope": "classes",
        "evidence_level": "E1",
    },
}
JUDGED = "certificate-judged"
"""The certificate of a model that was judged and not made, under a key of its own."""
STEP = 61
"""Every so many bytes one is changed; ``test_tampering`` changes every bit of the oldest certificate."""

each = pytest.mark.parametrize("name", KEY_OF)


def path_of(name: str) -> Path:
    return GOLDEN / f"{name}.dsse.json"


def key_of(name: str) -> Path:
    return GOLDEN / KEY_OF[name]


def kept(before: Any, after: Any, where: str = "") -> Iterator[str]:
    """Yield where a value was lost or changed; keys that are new say nothing against what was there."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key, value in before.items():
            if key in after:
                yield from kept(value, after[key], f"{where}.{key}")
            else:
                yield f"{where}.{key} is lost"
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for place, (one, other) in enumerate(zip(before, after, strict=True)):
            yield from kept(one, other, f"{where}[{place}]")
    elif before != after or type(before) is not type(after):
        yield f"{where} was {before!r}, is {after!r}"


def test_no_golden_certificate_is_forgotten():
    found = {path.name.removesuffix(".dsse.json") for path in GOLDEN.glob("*.dsse.json")}
    assert found == {*KEY_OF, JUDGED}
    assert set(SAID) == set(KEY_OF)


@each
def test_it_verifies_and_says_what_it_said(name: str):
    said = verify_files(path_of(name), key=key_of(name))
    assert {field: said[field] for field in SAID[name]} == SAID[name]
    assert said["verdict"] == "passes"


@each
def test_the_command_verifies_it_and_says_what_could_not_be_asked(
    name: str, capsys: pytest.CaptureFixture[str]
):
    judged_again = name != "certificate-v1"
    code = main([str(path_of(name)), "--key", str(key_of(name)), "--json"])
    said = json.loads(capsys.readouterr().out)
    assert (code, said["verified"]) == ((0, True) if judged_again else (NOT_JUDGED_AGAIN, False))
    assert {
        "which code of Lethe's made it",
        "which files it read beside the pipeline's lock",
        "whose rows were in the training data: it does not commit to them",
    } <= set(said["not_asked"])


@each
def test_envelope_and_statement_are_written_the_same_again(name: str):
    raw = path_of(name).read_bytes()
    envelope = decode_envelope(raw)
    assert encode(*envelope) == raw
    assert canonical_json(json.loads(envelope.payload)) == envelope.payload


@each
def test_nothing_that_was_signed_is_lost_or_changed_when_it_is_read(name: str):
    payload = decode_envelope(path_of(name).read_bytes()).payload
    assert list(kept(json.loads(payload), json.loads(read_statement(payload).canonical()))) == []


@each
def test_its_parts_have_the_digests_that_were_signed(name: str):
    certified = read_statement(decode_envelope(path_of(name).read_bytes()).payload).predicate
    if (policy := certified.judgement.policy) is not None:
        assert policy.digest == certified.judgement.verdict.policy
    if (group := certified.group) is not None:
        assert certified.request.digest in group.members


@each
def test_a_changed_byte_is_refused(name: str):
    raw = path_of(name).read_bytes()
    passed = []
    for place in (*range(0, len(raw), STEP), *range(len(raw) - 200, len(raw))):
        changed = raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :]
        try:
            verify_bytes(changed, key=key_of(name))
        except EvidenceError:
            continue
        passed.append(place)
    assert passed == []


@pytest.mark.parametrize("name", [name for name in KEY_OF if name != "certificate-v1"])
def test_the_key_of_another_issuer_does_not_verify_it(name: str):
    with pytest.raises(EvidenceError, match="not trusted"):
        verify_files(path_of(name), key=GOLDEN / "certificate-v1.pub")


def test_the_judgement_verifies_and_says_what_it_said():
    said = verify_files(path_of(JUDGED), key=GOLDEN / f"{JUDGED}.pub", kind="judged")
    expected = {
        "kind": "judged",
        "ending": "passes",
        "shown": "judged, not made: behaves",
        "request": "demo",
        "method": "not known",
        "evidence_level": "E1",
        "judged_again": True,
    }
    assert {field: said[field] for field in expected} == expected


def test_nothing_of_the_judgement_is_lost_or_changed_when_it_is_read():
    payload = decode_envelope(path_of(JUDGED).read_bytes()).payload
    assert list(kept(json.loads(payload), json.loads(read_judged(payload).canonical()))) == []


def test_a_changed_byte_of_the_judgement_is_refused(tmp_path: Path):
    raw, changed = path_of(JUDGED).read_bytes(), tmp_path / "changed.dsse.json"
    passed = []
    for place in (*range(0, len(raw), 10 * STEP), *range(len(raw) - 100, len(raw))):
        changed.write_bytes(raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :])
        try:
            verify_files(changed, key=GOLDEN / f"{JUDGED}.pub")
        except EvidenceError:
            continue
        passed.append(place)
    assert passed == []
