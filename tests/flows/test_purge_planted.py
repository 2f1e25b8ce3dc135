"""What others write into the files of a purge is not believed: plans, records, and what a proof rests on."""

import json
import shutil
from contextlib import nullcontext

import pytest
from erased import PERSON, found, person_forgotten, rows_of
from world import NOISE, commit, lethe

from flows.cli.lethe_verify import main as verify_main
from tasks.checkout.checkout import Checkout
from tasks.checkout.files import file_digest, write_record
from tasks.checkout.git import run_git
from tasks.checkout.params import read_values, write_params
from tasks.evidence.purged import purge_that_erased, refuse_erased
from tasks.evidence.verification import verify_bytes
from tasks.keys.folder import home
from tasks.keys.ring import rotate_pseudonym_key
from unlearn_core.errors import ErasedError
from unlearn_core.records.purge import PurgeRecord

pytestmark = [*NOISE, pytest.mark.long]


@pytest.fixture
def project(monkeypatch, tmp_path):
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path / "prefect"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return Checkout(person_forgotten(tmp_path / "project"))


@pytest.fixture
def own_keys(monkeypatch, tmp_path):
    """Keys that a test may rotate."""
    shutil.copytree(home(), tmp_path / "keys")
    monkeypatch.setenv("LETHE_HOME", str(tmp_path / "keys"))


def alter(path, **changes):
    """Change values of a JSON file."""
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def planned(project):
    """Let a purge be planned, and interrupted before anything was erased."""

    def interrupted(*_):
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("flows.purge._carry_out", interrupted)
        assert lethe(project.root, "purge", "r-1")[0] == 130
    return project.purge_plan("r-1")


def test_an_altered_plan_is_not_carried_out(project):
    mine = project.root / "thesis"
    mine.write_text("mine")
    path = planned(project)
    objects = json.loads(path.read_text())["objects"]
    one = {"store": "project", "address": "thesis", "size": 4, "kinds": [], "treatment": "erase", "why": ""}
    alter(path, objects=[*objects, one])
    code, _, err = lethe(project.root, "purge", "r-1")
    assert code == 2
    assert "it was altered" in err
    assert mine.read_text() == "mine"


def test_a_plan_that_git_brings_is_refused(project):
    path = planned(project)
    path.rename(project.root / "requests" / "r-9.purge")
    run_git(project.root, "add", "--force", "requests/r-9.purge")
    commit(project.root, "Plant a plan")
    code, _, err = lethe(project.root, "next")
    assert code == 2
    assert "requests/r-9.purge" in err


def test_a_record_that_says_it_is_proved_stops_no_purge(project):
    rows = rows_of(project.root, PERSON)
    path = planned(project)
    at = json.loads(project.purge_record("r-1").read_text())["started"]
    path.unlink()
    alter(project.purge_record("r-1"), finished=at, proved=at, inventory="sha256:" + 64 * "0")
    assert lethe(project.root, "purge", "r-1")[0] == 0
    assert not any(found(rows, project.root).values())


def test_a_plan_that_was_altered_between_purge_and_proof_proves_nothing(project):
    assert lethe(project.root, "purge", "r-1")[0] == 0
    alter(project.purge_plan("r-1"), rows=1)
    assert lethe(project.root, "purge", "r-1", "--prove")[0] == 2
    assert not project.inventory("r-1").exists()


def test_a_proof_covers_every_store_that_the_purge_was_planned_with(project, monkeypatch, tmp_path):
    monkeypatch.setenv("LETHE_WORK", str(tmp_path / "work"))
    assert lethe(project.root, "purge", "r-1")[0] == 0
    monkeypatch.delenv("LETHE_WORK")
    code, _, err = lethe(project.root, "purge", "r-1", "--prove")
    assert code == 2
    assert err.startswith("lethe: workers: not at hand any more")


def test_a_purge_goes_on_after_the_key_was_rotated(own_keys, project):
    assert lethe(project.root, "purge", "r-1")[0] == 0
    rotate_pseudonym_key()
    code, out, err = lethe(project.root, "purge", "r-1", "--prove")
    assert code == 0, out + err


def test_rows_that_no_store_has_are_not_said_to_be_gone(project, monkeypatch, capsys):
    monkeypatch.setattr("flows.purge.rows_lost", lambda *_: 3)
    assert lethe(project.root, "purge", "r-1")[0] == 0
    out = lethe(project.root, "purge", "r-1", "--prove")[1]
    assert "3 more could not be" in out
    verify_main([str(project.inventory("r-1"))])
    assert "3 more could not be" in capsys.readouterr().out
    assert project.purge_plan("r-1").exists()


def test_what_is_kept_for_a_time_is_kept_in_a_dry_run_as_well(project):
    policy = {**read_values(project.root)["policy"], "purge": {"grace_h": 720}}
    write_params(project.root, {"policy": policy})
    code, _, err = lethe(project.root, "purge", "r-1", "--dry-run")
    assert (code, "grace_h" in err) == (2, True)


def inputs_of(project):
    """Return the deletion, and the digests of what it began from."""
    certified = verify_bytes(project.certificate("r-1").read_bytes())[0]
    return certified, (certified.data.before, certified.models.parent)


def erased_by(project):
    """Return what is believed to have erased the deletion's inputs; a replay is refused if anything is."""
    certified, digests = inputs_of(project)
    found = purge_that_erased(project, *digests)
    with nullcontext() if found is None else pytest.raises(ErasedError, match=found.request):
        refuse_erased(project, certified)
    return found


def test_a_planted_record_is_not_believed_when_it_says_what_was_erased(project):
    _, (data, parent) = inputs_of(project)
    at, any_digest = "2026-01-01T00:00:00Z", "sha256:" + 64 * "0"
    about = {"request": "r-1", "plan": any_digest, "started": at, "data": (data,), "models": (parent,)}
    for claims in ({}, {"proved": at, "inventory": any_digest}, {"seal": 64 * "0"}):
        write_record(project.purge_record("r-1"), PurgeRecord(**about, finished=at, **claims))
        assert erased_by(project) is None
        assert "lethe purge r-1" in lethe(project.root, "status")[1]
    assert lethe(project.root, "purge", "r-1", "--prove")[0] == 2
    assert lethe(project.root, "purge", "r-1")[0] == 0
    assert erased_by(project).inventory is None
    alter(project.purge_record("r-1"), previous_until=at)
    assert erased_by(project) is None


def test_a_signed_inventory_is_believed_whatever_became_of_the_record_beside_it(project):
    assert lethe(project.root, "purge", "r-1")[0] == 0
    assert lethe(project.root, "purge", "r-1", "--prove")[0] == 0
    shown = erased_by(project)
    assert shown.inventory == file_digest(project.inventory("r-1"))
    code, _, err = lethe(project.root, "verify", "--replay", str(project.certificate("r-1")))
    assert (code, shown.inventory in err) == (9, True)
    project.purge_record("r-1").unlink()
    assert erased_by(project) == shown
    raw = project.inventory("r-1").read_bytes()
    project.inventory("r-1").write_bytes(raw.replace(b"A", b"B", 1))
    assert erased_by(project) is None
