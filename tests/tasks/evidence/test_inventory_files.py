"""``lethe-verify`` on an inventory of absence: whatever it is asked is answered or refused.

Each of these must turn red: an option that is ignored, an inventory of what is left that exits with 0.
"""

import json

import pytest
from absence import incomplete, inventory_of
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from world import ROOT, lethe

from flows.cli.lethe_verify import main
from tasks.evidence.inventories import sign_inventory
from tasks.evidence.stamping import stamp_file
from tasks.keys.folder import home, init_keys, public_pem
from tasks.keys.signing import key_id
from unlearn_core.audit.countersigning import countersigned, signed_bytes
from unlearn_core.errors import EvidenceError, UsageError

ISSUED = (ROOT / "tests/golden/certificate-digits.dsse.json").read_bytes()
FALSE, NOT_CHECKED = EvidenceError.exit_code, UsageError.exit_code
WITNESS = Ed25519PrivateKey.from_private_bytes(bytes([7]) * 32)


@pytest.fixture(autouse=True)
def keys(tmp_path, monkeypatch):
    """Keys of the test's own, which sign and are trusted."""
    monkeypatch.setenv("LETHE_HOME", str(tmp_path / "home"))
    init_keys(home())


@pytest.fixture
def inventory(tmp_path):
    path = tmp_path / "inventory.dsse.json"
    path.write_bytes(sign_inventory(inventory_of(ISSUED), name="certificate.dsse.json"))
    return path


@pytest.fixture
def witness(tmp_path):
    path = tmp_path / "witness.pub"
    path.write_bytes(public_pem(WITNESS.public_key()))
    return path


def verified(*arguments):
    return main([str(one) for one in arguments])


def test_what_is_left_is_in_the_exit_status(tmp_path, inventory, capsys):
    assert verified(inventory) == 0
    assert "nothing of it is left" in capsys.readouterr().out
    inventory.write_bytes(sign_inventory(incomplete(ISSUED), name="certificate.dsse.json"))
    assert verified(inventory) == 8
    assert "not all of it is erased yet" in capsys.readouterr().out
    assert verified(inventory, "--json") == 8
    assert json.loads(capsys.readouterr().out)["exit_code"] == 8


@pytest.mark.parametrize("kind", ["made", "judged"])
def test_it_is_no_certificate_of_either_kind(inventory, kind, capsys):
    assert verified(inventory, "--kind", kind) == FALSE
    assert f"expected a certificate of the kind {kind}" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--model", "--policy", "--receipt"])
@pytest.mark.parametrize("value", ["", "somewhere"])
def test_what_only_a_certificate_says_is_not_asked_of_it(inventory, option, value, capsys):
    assert verified(inventory, option, value) == NOT_CHECKED
    assert f"{option}: an inventory says nothing of models" in capsys.readouterr().err


def test_witnesses_must_have_signed_it(inventory, witness, capsys):
    for asked in (["--witness", witness], ["--witness", witness, "--threshold", 3], ["--threshold", 1]):
        assert verified(inventory, *asked) == FALSE
        assert "must have" in capsys.readouterr().err
    issued = inventory.read_bytes()
    mine = {key_id(WITNESS.public_key()): WITNESS.sign(signed_bytes(issued))}
    inventory.with_name("inventory.witness-1.dsse.json").write_bytes(countersigned(issued, mine))
    assert verified(inventory, "--witness", witness) == 0
    assert f"witnessed  1 of the 1 known, 1 needed: {key_id(WITNESS.public_key())}" in capsys.readouterr().out
    assert verified(inventory, "--witness", witness, "--threshold", 2) == FALSE
    inventory.write_bytes(countersigned(issued, mine))
    assert verified(inventory, "--witness", witness) == 0


def test_its_stamp_is_verified(notary, inventory, tmp_path, capsys):
    assert verified(inventory) == 0
    assert "not anchored: no time stamp" in capsys.readouterr().out
    assert verified(inventory, "--stamp", tmp_path / "none.tsr") == NOT_CHECKED
    anchor = stamp_file(inventory)
    capsys.readouterr()
    assert verified(inventory, "--json") == 0
    assert json.loads(capsys.readouterr().out)["anchored"] == anchor._asdict()
    stamp = tmp_path / "inventory.tsr"
    stamp.write_bytes(b"no stamp")
    assert verified(inventory) == verified(inventory, "--stamp", stamp) == FALSE


@pytest.mark.parametrize("threshold", [0, -1])
def test_nobody_is_asked_for_fewer_than_one_witness(inventory, threshold, tmp_path, capsys):
    certificate = tmp_path / "certificate.dsse.json"
    certificate.write_bytes(ISSUED)
    key = ROOT / "tests/golden/certificates-2026-11.pub"
    assert verified(inventory, f"--threshold={threshold}") == NOT_CHECKED
    assert verified(certificate, "--key", key, f"--threshold={threshold}") == NOT_CHECKED
    assert capsys.readouterr().err.count("expected at least 1") == 2


def test_lethe_verify_does_not_ignore_what_it_is_asked_either(inventory, tmp_path):
    for option in ("--model", "--key", "--request", "--policy"):
        code, _, err = lethe(tmp_path, "verify", option, "x")
        assert (code, "these are asked of one certificate" in err) == (NOT_CHECKED, True)
    for option in ("--request", "--policy"):
        code, _, err = lethe(tmp_path, "verify", str(inventory), "--replay", option, "x")
        assert (code, "a replay compares models alone" in err) == (NOT_CHECKED, True)
