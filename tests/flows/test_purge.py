"""A purge: an independent search finds the rows before it, and none after it; then the project goes on."""

import json
import os

import pytest
from erased import CONTROL, PERSON, found, person_forgotten, rows_of
from sequence import of_class, serve_and_go_on
from world import NOISE, lethe

from flows.cli.lethe_verify import main as verify_main
from tasks.checkout.checkout import Checkout

pytestmark = [*NOISE, pytest.mark.long]


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch, tmp_path):
    """Nothing of this machine's own is searched."""
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path / "prefect"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))


@pytest.fixture
def copy(tmp_path):
    """A project of the test's own, and the rows that it is to lose and to keep."""
    root = person_forgotten(tmp_path / "project")
    return root, {name: rows_of(root, name) for name in (PERSON, CONTROL)}


def purge(root, *arguments):
    code, out, err = lethe(root, "purge", "r-1", *arguments, "--json")
    assert code == 0, out + err
    return json.loads(out)


def test_an_independent_search_finds_the_rows_before_and_none_after(copy):
    root, rows = copy
    before = found(rows[PERSON], root)
    assert {"file", "id", "uint8", "subject"} <= {kind for kind, places in before.items() if places}
    assert any(place.startswith(".dvc/cache") for place in before["file"])
    purge(root)
    assert found(rows[PERSON], root) == {kind: set() for kind in rows[PERSON]}
    after = found(rows[CONTROL], root)
    assert after["file"]
    assert after["subject"]


def test_a_proof_is_signed_and_verified_and_what_was_looked_for_is_gone(copy, capsys):
    root, _ = copy
    assert lethe(root, "purge", "r-1", "--prove")[0] == 2
    purge(root)
    inventory = purge(root, "--prove")
    assert inventory["complete"]
    assert {one["why"] for one in inventory["remains"]} == {
        "a record of the request: pseudonyms, which say nothing without the key"
    }
    assert sum(store["control"] for store in inventory["stores"]) >= 2
    assert not Checkout(root).purge_plan("r-1").exists()
    path = Checkout(root).inventory("r-1")
    assert verify_main([str(path)]) == 0
    told = capsys.readouterr().out
    assert "nothing of it is left" in told
    altered = path.read_bytes().replace(b"A", b"B", 1)
    path.write_bytes(altered)
    assert verify_main([str(path)]) == 6


def test_a_copy_that_comes_back_makes_the_proof_fail_and_the_next_purge_removes_it(copy):
    root, rows = copy
    purge(root)
    hidden = root / "mlruns" / "artifacts" / "hidden"
    hidden.write_bytes(b"before" + rows[PERSON]["file"][0])
    code, out, err = lethe(root, "purge", "r-1", "--prove")
    assert code == 6
    assert "mlruns: artifacts/hidden" in out + err
    assert not Checkout(root).inventory("r-1").exists()
    purge(root)
    assert not hidden.exists()
    assert purge(root, "--prove")["complete"]


def test_a_dry_run_changes_nothing(copy):
    root, rows = copy
    before = found(rows[PERSON], root)
    plan = purge(root, "--dry-run")
    assert plan["rows"] == len(rows[PERSON]["id"])
    assert found(rows[PERSON], root) == before
    assert not Checkout(root).purge_plan("r-1").exists()


def test_another_request_is_served_after_a_purge(copy):
    root, rows = copy
    purge(root)
    serve_and_go_on(root, "r-2", of_class("5"))
    code, out, err = lethe(root, "purge", "r-2", "--json")
    assert code == 0, out + err
    assert purge(root, "--prove")["complete"]
    assert found(rows[PERSON], root) == {kind: set() for kind in rows[PERSON]}
    assert os.path.isfile(Checkout(root).certificate("r-2"))
