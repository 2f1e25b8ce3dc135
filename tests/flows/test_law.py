"""The law: two drivers, one lock. What is done is done once, and the next deletion starts where it ended.

Each of these must turn red: an out that holds a time or an id; a stage that Prefect runs with other
settings; a flow that forgets to pin; a certificate that names a person.
"""

import asyncio
import base64
import json
import os
import shutil
from pathlib import Path

import pytest
from story import PERSON, deleted, registered
from world import NOISE, files_of, run

from tasks.checkout.checkout import Checkout
from tasks.checkout.files import read_record
from tasks.computing.checkpoints import read_checkpoint_card
from tasks.data.datasets import read_card, read_manifest
from tasks.evidence.verification import verify_files
from tasks.tracking.registry import champion
from tasks.tracking.runs import tracking_of
from unlearn_core.errors import RequestError
from unlearn_core.records.deletion import DeletionRecord

pytestmark = [*NOISE, pytest.mark.long]


def lethe_run(root, run_id):
    return tracking_of(Checkout(root)).client.get_run(run_id)


def test_both_drivers_write_the_same_lock(reproduced, story):
    assert reproduced.lock == story.lock


def test_both_drivers_come_to_the_same_outcome(reproduced, story):
    outcome = (reproduced.root / "reports/outcome.json").read_bytes()
    assert outcome == story.first.outcome.canonical()


def test_after_a_reproduction_all_is_current(reproduced):
    assert "up to date" in run(reproduced.root, "dvc", "status").stdout
    assert "Running stage" not in run(reproduced.root, "dvc", "repro").stdout


def test_after_a_flow_all_is_current(story):
    assert "up to date" in story.status.stdout
    assert story.repro.returncode == 0
    assert "Running stage" not in story.repro.stdout


def test_a_second_request_asks_again_for_the_first(story):
    (asked,) = story.second.outcome.earlier
    assert (asked.request, asked.outcome) == ("demo", "still_forgotten")
    envelope = json.loads((story.root / "evidence/r-2/certificate.dsse.json").read_bytes())
    certificate = json.loads(base64.b64decode(envelope["payload"]))["predicate"]
    assert certificate["earlier"] == [asked.model_dump(mode="json")]


def test_both_drivers_ask_again_with_the_same_bits(story):
    assert "Running stage" not in story.repro_of_second.stdout
    by_prefect, by_dvc = story.locks_of_second
    assert by_prefect == by_dvc


def test_a_reproduction_has_its_run_and_its_version(reproduced):
    (version,) = registered(reproduced.root)
    assert version.tags["lethe.request"] == "demo"
    assert lethe_run(reproduced.root, version.run_id).info.status == "FINISHED"


def test_a_flow_has_its_run_and_its_version(story):
    version = next(one for one in registered(story.root) if int(one.version) == 1)
    assert version.tags["lethe.weights"] == story.first.outcome.model
    assert version.run_id == story.first.run
    assert lethe_run(story.root, story.first.run).info.status == "FINISHED"


def test_a_reproductions_certificate_verifies(reproduced):
    verify_files(
        reproduced.root / "evidence/demo/certificate.dsse.json",
        model=Checkout(reproduced.root).unlearned / "model.safetensors",
    )


def test_eight_functions_lead_from_the_command_to_the_method(story):
    assert story.road == (
        "delete.command",
        "delete.delete",
        "delete.deletion",
        "unlearn.climb_ladder",
        "climbing.try_method",
        "unlearning.attempt",
        "unlearning.unlearn",
        "Method.apply",
    )


def test_the_same_request_is_served_once(story):
    assert story.again == story.first
    assert story.versions == 1


def test_the_next_request_starts_from_the_champion(story):
    assert story.second.outcome.parent == story.first.outcome.model
    assert story.parent_of_second.weights == story.first.outcome.model


def test_the_champion_is_adopted_and_not_trained_again(story):
    card = story.parent_of_second
    assert card == read_checkpoint_card(Checkout(story.root).generation("models", story.first.outcome.model))
    assert card.method == story.first.outcome.method


def test_the_next_request_starts_from_the_retained_data(story):
    card = read_card(Checkout(story.root).dataset)
    assert card.rows_digest == story.first.outcome.retained == story.second.outcome.data
    assert card.lineage == (story.first.outcome.data,)
    assert card.splits[0].rows_per_class[3] == 0


def test_every_deletion_has_a_version_of_its_own(story):
    assert sorted(int(one.version) for one in registered(story.root)) == [1, 2]
    assert (story.first.registered_version, story.second.registered_version) == (1, 2)


def test_every_certificate_verifies_with_its_model(story):
    kept = Checkout(story.root).generation("models", story.first.outcome.model) / "model.safetensors"
    verify_files(story.root / story.first.certificate, model=kept)
    assert verify_files(story.root / story.second.certificate)["model"] == story.second.outcome.model


def test_a_request_too_small_to_measure_is_only_retrained(story):
    record = read_record(Checkout(story.root).deletion, DeletionRecord)
    assert record.request == "r-2"
    assert record.tried == ("retrain",)
    assert {entry.method for entry in record.left_out} == {"finetune", "svd"}
    assert "only a retrained model" in next(e.why for e in record.left_out if e.method == "finetune")


def test_an_inconclusive_release_says_so(story):
    assert story.second.outcome.verdict == "inconclusive"
    certified = verify_files(story.root / story.second.certificate)
    assert certified["note"] == story.second.outcome.note
    assert "nothing that could be forgotten was measurable" in story.second.outcome.note


def test_a_request_that_would_bring_forgotten_data_back_is_refused(story):
    code, out, err = story.undoing
    assert (code, out) == (2, "")
    assert "version 2 has forgotten request 'r-2' from this data" in err
    assert "lethe next" in err
    assert story.named_after_undoing == "r-2"


def test_a_gate_that_nothing_passes_ends_with_its_own_exit_code(story):
    code, out, err = story.refused
    assert (code, out) == (5, "")
    assert "lethe: request r-3: no model was accepted, the champion stays" in err
    assert "\n  svd: " in err
    assert "\n  retrain: " in err
    assert "retrain missed a band as well" in err
    assert err.endswith("`lethe delete r-3` tries again\n")


def test_a_refused_deletion_leaves_a_record_and_a_failed_run(story):
    record = read_record(story.root / "evidence/r-3/failure.json", DeletionRecord)
    assert record.tried == ("svd", "retrain")
    assert record.accepted is None
    assert b"Nothing was released" in (story.root / "evidence/r-3/report.html").read_bytes()
    tracking = tracking_of(Checkout(story.root))
    (found,) = tracking.client.search_runs(
        [tracking.experiment_id], "tags.`lethe.request` = 'r-3' and tags.`lethe.kind` = 'deletion'"
    )
    assert (found.info.status, found.info.run_name) == ("FAILED", "✕ nothing accepted · r-3")
    assert "Nothing was released" in found.data.tags["mlflow.note.content"]


@pytest.mark.usefixtures("story")
def test_what_prefect_stores_of_a_refused_deletion_is_no_pickle():
    stored = [path.read_bytes() for path in Path(os.environ["PREFECT_HOME"], "storage").iterdir()]
    refused = [json.loads(content) for content in stored if b"request r-3" in content]
    assert {error["__exc_type__"] for error in refused} == {"unlearn_core.errors.GateError"}


def test_a_refused_deletion_pins_nothing_of_its_own(story):
    before, after = story.lock_before_refusal, story.lock_after_refusal
    assert before["split"] != after["split"]
    assert before["unlearn"] == after["unlearn"]
    assert before["certify"] == after["certify"]


def test_a_refused_deletion_leaves_the_champion(story):
    assert champion(tracking_of(Checkout(story.root)), "digits").version == 2
    assert not (story.root / "evidence/r-3/released.json").exists()


def test_a_clone_that_has_the_lock_alone_gets_its_evidence_from_a_flow(reproduced, prefect_server):
    shutil.rmtree(reproduced.root / "evidence")
    released = deleted(reproduced.root, "demo")
    verify_files(reproduced.root / released.certificate)
    assert len(registered(reproduced.root)) == 1
    assert (reproduced.root / "dvc.lock").read_bytes() == reproduced.lock


def test_a_flow_for_another_request_than_the_settings_name_is_refused(reproduced, prefect_server):
    from flows.delete import deletion

    with pytest.raises(RequestError, match="names request 'demo', but 'r-9' was asked for"):
        deletion(Checkout(reproduced.root), "r-9")
    assert (reproduced.root / "dvc.lock").read_bytes() == reproduced.lock


@pytest.fixture
def forgotten_ids(story):
    """Everything that names the person of the second request."""
    manifest = read_manifest(Checkout(story.root).dataset)
    rows = manifest.subject_ids == PERSON
    assert rows.any()
    return [PERSON.encode(), *(one.encode() for one in manifest.sample_ids[rows])]


@pytest.mark.parametrize(
    "folder", ["requests", "evidence", "mlruns", "reports", "dvc.lock", "params.yaml", ".git"]
)
def test_no_id_of_a_person_is_written_down(story, forgotten_ids, folder):
    path = story.root / folder
    found = files_of(path) if path.is_dir() else {folder: path.read_bytes()}
    assert found
    leaks = [name for name, raw in found.items() if any(one in raw for one in forgotten_ids)]
    assert leaks == []


def test_prefect_stores_no_id_of_a_person(story, forgotten_ids, prefect_server):
    stored, kept = files_of(prefect_server), files_of(Path(os.environ["PREFECT_HOME"]))
    assert stored
    assert kept
    stored |= kept
    leaks = [name for name, raw in stored.items() if any(one in raw for one in forgotten_ids)]
    assert leaks == []


def test_a_flow_run_is_stored_with_the_requests_id_alone(story):
    from prefect.client.orchestration import get_client

    async def parameters():
        async with get_client() as client:
            return [one.parameters for one in await client.read_flow_runs()]

    found = asyncio.run(parameters())
    assert {"checkout": {"root": ".."}, "request_id": "r-2"} in [one for one in found if "request_id" in one]
    assert str(story.root) not in str(found)
