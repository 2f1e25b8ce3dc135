"""``model.sig`` and the bill of materials, each judged by the library of those who read it.

Each of these must turn red: a signature that OpenSSF's verifier does not accept, or accepts for another model
or key; a bill that is not valid by its schema, has other bytes the next time, or names anybody.
"""

import base64
import json
import subprocess
import sys

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from model_signing.verifying import Config
from world import ROOT

from tasks.evidence.bill_of_materials import write_bill
from tasks.evidence.model_signature import MODEL_SIGNATURE, sign_model
from tasks.keys.releasing import release_key, release_pem
from unlearn_core.audit.envelope import decode_envelope, read_statement
from unlearn_core.records.base import canonical_json, sha256

KEY, OTHER = (release_key(Ed25519PrivateKey.from_private_bytes(bytes([one]) * 32)) for one in (1, 2))
JUDGED = ROOT / "tests/golden/certificate-judged.dsse.json"
# Lethe did not make that model, and releases nothing of it.
GOLDEN = sorted({*(ROOT / "tests/golden").glob("certificate-*.dsse.json")} - {JUDGED})


@pytest.fixture
def model(tmp_path):
    """A model as it is passed on: two files, and its signature in the folder."""
    folder = tmp_path / "digits"
    folder.mkdir()
    (folder / "model.safetensors").write_bytes(bytes(range(256)) * 100)
    (folder / "card.json").write_text("{}")
    (folder / MODEL_SIGNATURE).write_bytes(sign_model(folder, KEY))
    return folder


def public_file(model, key=KEY):
    (public := model.with_name("release.pub")).write_bytes(release_pem(key.public_key()))
    return public


def verify(model, key=KEY):
    """Ask OpenSSF's verifier."""
    verifier = Config().use_elliptic_key_verifier(public_key=public_file(model, key))
    verifier.verify(model, model / MODEL_SIGNATURE)


def test_the_command_of_openssf_accepts_the_signature(model):
    program = [sys.executable, "-W", "ignore", "-m", "model_signing", "verify", "key", model]
    options = ["--signature", model / MODEL_SIGNATURE, "--public_key", public_file(model)]
    done = subprocess.run([*program, *options], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_openssf_accepts_the_signature_by_its_key_alone(model):
    verify(model)
    with pytest.raises(ValueError, match="Key mismatch"):
        verify(model, OTHER)


@pytest.mark.parametrize("name", ["model.safetensors", "card.json", "more.py"])
def test_openssf_refuses_a_model_with_a_file_changed_or_added(model, name):
    (model / name).write_bytes(b"other")
    with pytest.raises(ValueError, match="Signature mismatch"):
        verify(model)


def test_openssf_refuses_a_changed_signature(model):
    bundle = json.loads((model / MODEL_SIGNATURE).read_bytes())
    bundle["dsseEnvelope"]["payload"] = base64.b64encode(b'{"_type":""}').decode()
    (model / MODEL_SIGNATURE).write_text(json.dumps(bundle))
    with pytest.raises(InvalidSignature):
        verify(model)


def test_the_signature_of_a_model_is_the_same_bytes_wherever_it_is(model):
    kept = (model / MODEL_SIGNATURE).read_bytes()
    assert sign_model(model, KEY) == kept
    (model / MODEL_SIGNATURE).unlink()
    assert sign_model(model, KEY) == kept


def bill_of(path):
    raw = path.read_bytes()
    certified = read_statement(decode_envelope(raw).payload).predicate
    return certified, sha256(raw), write_bill(certified, sha256(raw), name="digits", version=7)


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.name)
def test_every_bill_is_valid_by_its_schema_and_says_what_was_removed(path):
    certified, certificate, bill = bill_of(path)
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(bill.decode()) is None
    tree = json.loads(bill)
    model = tree["metadata"]["component"]
    said = {one["name"]: one["value"] for one in model["properties"]}
    assert said["lethe:request"] == certified.request.id
    assert said["lethe:certificate"] == certificate
    assert said["lethe:method"] == certified.method["name"]
    assert model["hashes"][0]["content"] == certified.models.unlearned.removeprefix("sha256:")
    (parent,) = model["pedigree"]["ancestors"]
    assert parent["hashes"][0]["content"] == certified.models.parent.removeprefix("sha256:")


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.name)
def test_a_bill_has_the_same_bytes_every_time_and_names_nobody(path):
    _, _, bill = bill_of(path)
    assert bill_of(path)[2] == bill == canonical_json(json.loads(bill)) + b"\n"
    assert b"hmac-sha256:" not in bill


def test_the_schema_refuses_what_is_no_bill():
    _, _, bill = bill_of(GOLDEN[0])
    for wrong in ({"serialNumber": "7"}, {"lethe": 1}, {"version": "1"}):
        assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps({**json.loads(bill), **wrong}))


def test_a_release_key_follows_from_the_signing_key_and_from_nothing_else():
    again = release_key(Ed25519PrivateKey.from_private_bytes(bytes([1]) * 32))
    assert release_pem(again.public_key()) == release_pem(KEY.public_key())
    assert release_pem(OTHER.public_key()) != release_pem(KEY.public_key())
