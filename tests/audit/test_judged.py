"""A certificate of a judged model: what must agree in it, and that no kind passes for the other."""

import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from flows.cli.lethe_verify import main
from tasks.keys.signing import key_id, sign_statement, verify_judged, verify_payload, verify_signature
from unlearn_core.audit.envelope import decode_envelope, encode, pae, read_judged, read_statement
from unlearn_core.audit.judged import check_judged
from unlearn_core.errors import EvidenceError
from unlearn_core.records.base import canonical_json, sha256
from unlearn_core.records.judged import JudgedStatement

GOLDEN = Path(__file__).parents[1] / "golden"
MADE = json.loads(decode_envelope((GOLDEN / "certificate-digits.dsse.json").read_bytes()).payload)
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
TRUSTED = {key_id(KEY.public_key()): KEY.public_key()}
FILE = sha256(b"what was handed in")
TYPES = {"made": "tag:lethe.example,2025:certificate/v1", "judged": "tag:lethe.example,2025:judged/v1"}


def judged(**changes: Any) -> dict[str, Any]:
    """Return the statement of a judgement with a deletion's numbers, and some values changed."""
    made = MADE["predicate"]
    models = made["models"]
    predicate = {
        "schema_version": "lethe.judged/1",
        "kind": "judged, not made",
        **{name: made[name] for name in ("request", "data", "judgement", "validation", "provenance")},
        "models": {"original": models["parent"], "candidate": FILE, "measured": models["unlearned"]},
        "net": {"name": "small_resnet"},
        **dict.fromkeys(("method", "cost", "coverage", "held_out"), "not known"),
        "handed_in": None,
        "earlier": [],
        "ledger": None,
        "extensions": [],
    }
    subject = [{"name": "candidate.safetensors", "digest": {"sha256": FILE.removeprefix("sha256:")}}]
    return {
        "_type": MADE["_type"],
        "predicateType": TYPES["judged"],
        "subject": subject,
        "predicate": json.loads(json.dumps({**predicate, **changes})),
    }


def signed(statement: Any) -> bytes:
    """Sign whatever it is, as a forger with a trusted key would."""
    payload = canonical_json(statement)
    return encode(payload, KEY.sign(pae(payload)), *TRUSTED)


def read(statement: Any) -> JudgedStatement:
    return read_judged(canonical_json(statement))


def test_a_judgement_is_signed_and_verified():
    statement = read(judged())
    payload, signer = verify_payload(sign_statement(statement, KEY), TRUSTED)
    assert verify_judged(payload) == statement.predicate
    assert (signer, statement.predicate.ending) == (*TRUSTED, "passes")
    assert statement.canonical() == payload


def test_a_reader_of_deletions_refuses_a_judgement_and_the_reverse():
    with pytest.raises(EvidenceError, match="judged and did not make"):
        verify_signature(signed(judged()), TRUSTED)
    with pytest.raises(EvidenceError, match="not the certificate of a model that was judged"):
        verify_judged(canonical_json(MADE))


@pytest.mark.parametrize(
    ("statement", "as_kind"),
    [
        (judged(), "made"),
        (MADE, "judged"),
        ({**judged(), "predicate": MADE["predicate"]}, "judged"),
        ({**MADE, "predicate": judged()["predicate"]}, "made"),
        ({**MADE, "predicate": {**MADE["predicate"], "schema_version": "lethe.judged/1"}}, "made"),
        ({**MADE, "predicate": {**MADE["predicate"], "kind": "judged, not made"}}, "made"),
        (judged(schema_version="lethe.certificate/1"), "judged"),
        (judged(kind="made"), "judged"),
        (judged(method={"name": "svd"}), "judged"),
        (judged(coverage=MADE["predicate"]["coverage"]), "judged"),
        (judged(attempts=MADE["predicate"]["attempts"]), "judged"),
    ],
)
def test_nothing_of_one_kind_passes_as_the_other_even_when_signed(statement: Any, as_kind: str):
    payload = canonical_json({**statement, "predicateType": TYPES[as_kind]})
    for reader in (read_statement, read_judged):
        with pytest.raises(EvidenceError):
            reader(payload)


def swapped(of: str) -> Any:
    """Return the numbers with those of one model in the place of another's."""
    judgement = MADE["predicate"]["judgement"]
    return {**judgement, of: {**judgement[of], "model": FILE}}


def with_verdict(**changes: Any) -> Any:
    judgement = MADE["predicate"]["judgement"]
    return {**judgement, "verdict": {**judgement["verdict"], **changes}}


def without_policy() -> Any:
    return {name: part for name, part in MADE["predicate"]["judgement"].items() if name != "policy"}


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"judgement": swapped("unlearned")}, "judgement.unlearned is of"),
        ({"judgement": swapped("original")}, "judgement.original is of"),
        ({"judgement": with_verdict(verdict="under_forgotten")}, "policy and measurements give 'passes'"),
        ({"judgement": with_verdict(level="E2")}, "policy and measurements give 'E1'"),
        ({"judgement": with_verdict(policy=FILE)}, "the verdict was reached under"),
        ({"judgement": without_policy()}, "there is none to judge by again"),
        ({"judgement": {**MADE["predicate"]["judgement"], "references": []}}, "asks for 1 retrained models"),
        (
            {
                "models": {
                    "original": FILE,
                    "candidate": FILE,
                    "measured": MADE["predicate"]["models"]["unlearned"],
                }
            },
            "the candidate is the original itself",
        ),
        (
            {"data": {**MADE["predicate"]["data"], "retained": MADE["predicate"]["data"]["before"]}},
            "nothing to forget",
        ),
        ({"validation": {"expectations": 0, "all_succeeded": True}}, "none was asked"),
        (
            {"provenance": {**MADE["predicate"]["provenance"], "finished": "2020-01-01T00:00:00Z"}},
            "before the start",
        ),
        (
            {"net": {"name": "hmac-sha256:" + 64 * "0"}},
            "a pseudonym of a sample or a person",
        ),
    ],
)
def test_what_contradicts_itself_is_refused(changes: dict[str, Any], problem: str):
    statement = read(judged(**changes))
    with pytest.raises(EvidenceError, match=problem):
        check_judged(statement)
    with pytest.raises(EvidenceError, match=problem):
        sign_statement(statement, KEY)


def test_a_statement_about_another_file_is_refused():
    subject = [{"name": "other", "digest": {"sha256": 64 * "0"}}]
    with pytest.raises(EvidenceError, match="the statement is about"):
        check_judged(read({**judged(), "subject": subject}))


def test_a_time_to_come_is_refused():
    with pytest.raises(EvidenceError, match="in the future"):
        check_judged(read(judged()), now="2025-01-01T00:00:00Z")


def failing() -> Any:
    """Return the judgement of a model that still knows the class: the numbers of the model before."""
    judgement = json.loads(json.dumps(MADE["predicate"]["judgement"]))
    model = judgement["unlearned"]["model"]
    judgement["unlearned"] = {**judgement["original"], "model": model}
    statement = read(judged())
    from unlearn_core.audit.policy import judge
    from unlearn_core.records.evaluation import Evaluation

    own = statement.predicate.judgement
    candidate = Evaluation.parse(json.dumps(judgement["unlearned"]))
    assert own.policy is not None
    verdict = judge(own.policy, "classes", candidate, original=own.original, references=own.references)
    return judged(judgement={**judgement, "verdict": verdict.model_dump(mode="json")})


@pytest.mark.parametrize(("statement", "code"), [(judged(), 0), (failing(), 5)])
def test_the_command_says_which_kind_it_is_and_what_came_of_it(statement, code, tmp_path, capsys):
    path, key = tmp_path / "judged.dsse.json", tmp_path / "issuer.pub"
    path.write_bytes(signed(statement))
    key.write_bytes(_pem())
    assert main([str(path), "--key", str(key)]) == code
    said = capsys.readouterr().out
    assert "judged, not made" in said.splitlines()[0]
    assert "only its maker knows" in said
    assert main([str(path), "--key", str(key), "--json"]) == code
    told = json.loads(capsys.readouterr().out)
    assert (told["verified"], told["kind"], told["method"]) == (True, "judged", "not known")
    assert main([str(path), "--key", str(key), "--kind", "made"]) == 6
    assert "expected a deletion that Lethe made" in capsys.readouterr().err
    receipt = tmp_path / "receipt.json"
    receipt.write_text("{}")
    assert main([str(path), "--key", str(key), "--receipt", str(receipt)]) == 6


def test_a_deletion_is_not_taken_where_a_judgement_is_asked_for(capsys):
    path, key = GOLDEN / "certificate-digits.dsse.json", GOLDEN / "certificates-2026-11.pub"
    assert main([str(path), "--key", str(key), "--kind", "judged"]) == 6
    assert main([str(path), "--key", str(key), "--kind", "made"]) == 0
    assert "expected a model that was judged" in capsys.readouterr().err


def _pem() -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
