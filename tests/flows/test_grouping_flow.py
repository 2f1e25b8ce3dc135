"""Several requests, one run: one model and one version, and for each request all that it would have alone.

Each of these must turn red: a certificate about the group in place of the request; a model promoted before
the last certificate is signed and stored; a run that begins anew and signs, registers or promotes twice; a
member that is served again; a member whose scope is another than the one that was certified.
"""

import json
import shutil
import sqlite3
import subprocess
import sys
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from story import registered
from templates import copied, prepared_checkout
from world import NOISE, NOTHING, files_of, lethe, run

from flows.delete import delete, delete_together
from flows.stages.certify import certify
from flows.stages.pipeline import DELETION, run_due
from tasks.checkout.checkout import CERTIFICATE, Checkout
from tasks.checkout.files import read_record
from tasks.checkout.params import read_values, write_params
from tasks.computing.checkpoints import WEIGHTS
from tasks.data.datasets import read_manifest
from tasks.evidence.verification import verify_files
from tasks.keys.signing import public_keys_in, read_certificate, trust_folder, verify_signature
from tasks.lifecycle.standing import find_release, find_served, find_unfinished
from tasks.requests.ledger.changing import Draft
from tasks.requests.ledger.ledger import connect as connect_ledger
from tasks.requests.request_file import make_request, make_scope, read_request, submit_request
from tasks.tracking.registry import champion
from tasks.tracking.runs import tracking_of
from unlearn_core.audit.grouping import make_group
from unlearn_core.errors import EvidenceError, GateError, RequestError, SetupError
from unlearn_core.records.base import sha256
from unlearn_core.records.deletion import DeletionRecord, Outcome, Released
from unlearn_core.records.report import ReportFacts

pytestmark = [*NOISE, pytest.mark.long]

PERSONS = ("subject-0003", "subject-0004")


def single(request_id, *classes, subjects=()):
    return make_request(
        request_id, make_scope(classes=classes, samples=(), subjects=subjects), model="digits"
    )


# Handed in in another order than that of their ids; the last two overlap.
THREE = single("r-8", "8", "5"), single("r-3", "3"), single("r-5", "5")
GROUP = make_group(THREE)
NAMES = [one.id for one in THREE]


@pytest.fixture(scope="module")
def trained(own_folders, tmp_path_factory):
    """A checkout with a parent, in which nothing was asked for yet."""
    return prepared_checkout(tmp_path_factory.mktemp("trained") / "project")


@pytest.fixture(scope="module")
def accepted(trained, tmp_path_factory):
    """The same with a model that the gate accepted for the group; nothing is certified."""
    root = copied(trained, tmp_path_factory.mktemp("accepted") / "project", cache=True)
    submit_request(Checkout(root), GROUP)
    for name in ("split", "unlearn"):
        run_due(Checkout(root), name, DELETION[name])
    return root


@dataclass(frozen=True)
class Served:
    """A checkout in which Prefect served the group.

    Attributes:
        root: The checkout.
        released: What was released.
        status: What ``dvc status`` said then, and ``repro`` what ``dvc repro`` did.
        versions: How many versions were registered after it was asked for twice more, as a group and by a
            member, and ``again`` what was released then.
    """

    root: Path
    released: tuple[Released, ...]
    status: str
    repro: subprocess.CompletedProcess[str]
    again: tuple[Released, ...]
    versions: int


@pytest.fixture(scope="module")
def served(accepted, prefect_server, tmp_path_factory):
    root = copied(accepted, tmp_path_factory.mktemp("served") / "project", cache=True)
    released = delete_together(Checkout(root), THREE)
    status, repro = run(root, "dvc", "status").stdout, run(root, "dvc", "repro")
    again = delete_together(Checkout(root), THREE)
    return Served(root, released, status, repro, again, len(registered(root)))


def statement_of(root, request_id):
    raw = read_certificate(Checkout(root).certificate(request_id))
    return verify_signature(raw, public_keys_in(trust_folder()))[0].predicate


def test_a_group_has_one_version_and_each_request_a_release(served):
    assert [one.outcome.request for one in served.released] == NAMES
    assert {(one.registered_version, one.run) for one in served.released} == {(1, served.released[0].run)}
    assert len({one.certificate_digest for one in served.released}) == 3
    (version,) = registered(served.root)
    assert (version.tags["lethe.request"], version.tags["lethe.scope"]) == (GROUP.id, GROUP.scope_digest)
    digests = {one.outcome.request: one.certificate_digest for one in served.released}
    assert {name: version.tags[f"lethe.certificate.{name}"] for name in NAMES} == digests


@pytest.mark.parametrize("request_", THREE, ids=NAMES)
def test_each_certificate_verifies_and_is_about_its_own_request(served, request_):
    path = Checkout(served.root).certificate(request_.id)
    said = verify_files(path, model=Checkout(served.root).unlearned / WEIGHTS)
    assert (said["request"], said["group"]) == (request_.id, f"{GROUP.id} of 3 requests")
    certified = statement_of(served.root, request_.id)
    assert certified.request == request_.summary
    assert certified.group == GROUP.group


def test_certificates_of_a_group_differ_in_the_request_alone(served):
    first, *others = (statement_of(served.root, name).model_dump(exclude={"request"}) for name in NAMES)
    assert others == [first, first]


def test_a_certificate_names_no_other_request(served):
    for name in NAMES:
        text = statement_of(served.root, name).canonical().decode()
        assert [other for other in NAMES if f'"{other}"' in text] == [name]


def test_what_is_pinned_is_the_groups(served):
    outcome = read_record(Checkout(served.root).outcome, Outcome)
    assert outcome.request == GROUP.id
    expected = {**dict(outcome), "request": "r-5"}
    assert dict(next(one.outcome for one in served.released if one.outcome.request == "r-5")) == expected


def test_after_a_group_all_is_current(served):
    assert "up to date" in served.status
    assert served.repro.returncode == 0
    assert "Running stage" not in served.repro.stdout


def test_each_request_has_all_of_its_evidence(served):
    for name in NAMES:
        folder = Checkout(served.root).evidence(name)
        found = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
        assert {CERTIFICATE, "released.json", "report.html", "report.json"} < found
        assert "data_docs/split-rules.html" in found
        assert read_record(folder / "report.json", ReportFacts).certificate.request.id == name


def test_each_request_has_its_documents_in_the_run(served):
    client = tracking_of(Checkout(served.root)).client
    for name in NAMES:
        found = client.list_artifacts(served.released[0].run, f"evidence/{name}")
        names = {CERTIFICATE, "report.html", "model.sig", "bom.cdx.json"}
        assert {Path(one.path).name for one in found} == names


def test_a_report_says_that_there_were_others(served):
    code, out, _ = lethe(served.root, "report", "r-5")
    assert code == 0
    page = Path(served.root / out.strip()).read_text()
    assert "Request r-5 was served together with 2 others." in page
    assert "Together they asked to forget the classes “3”, “5” and “8”." in page
    assert [other for other in ("r-3", "r-8") if f">{other}<" in page] == []


def test_the_groups_own_report_is_that_of_its_members(served):
    for arguments in ((GROUP.id,), ()):
        code, out, err = lethe(served.root, "report", *arguments)
        assert (code, out) == (2, "")
        assert f"'{GROUP.id}' is a group of r-3, r-5, r-8; each has its own report" in err


def test_a_group_is_served_once(served):
    assert (served.again, served.versions) == (served.released, 1)


def test_a_member_is_found_as_served(served, capsys):
    before = files_of(served.root / "evidence", served.root / "requests")
    by_name = {one.outcome.request: one for one in served.released}
    for name in NAMES:
        assert find_release(Checkout(served.root), name) == by_name[name]
        code, out, err = lethe(served.root, "delete", name, "--json")
        assert code == 0, err
        assert Released.parse(out) == by_name[name]
    assert files_of(served.root / "evidence", served.root / "requests") == before
    assert read_values(served.root)["request"] == GROUP.id
    assert len(registered(served.root)) == 1


def test_a_group_is_found_as_served_by_its_id(served):
    code, out, err = lethe(served.root, "delete", GROUP.id, "--json")
    assert code == 0, err
    assert [one["outcome"]["request"] for one in json.loads(out)] == sorted(NAMES)
    code, out, _ = lethe(served.root, "delete", GROUP.id)
    assert code == 0
    assert out.count("certificate  evidence/r-") == 3
    assert len(registered(served.root)) == 1


def test_some_of_a_group_are_found_as_served(served):
    found = delete_together(Checkout(served.root), THREE[1:])
    assert [one.outcome.request for one in found] == NAMES[1:]
    assert len(registered(served.root)) == 1


def test_a_member_with_another_scope_is_another_request(served):
    code, _, err = lethe(served.root, "delete", "r-5", "--class", "6")
    assert code == 2
    assert "the id 'r-5' is taken by a request with another scope" in err


def test_a_member_whose_scope_was_changed_was_not_served(served):
    path = Checkout(served.root).request("r-5")
    before = path.read_bytes()
    path.write_bytes(single("r-5", "6").canonical())
    try:
        assert find_release(Checkout(served.root), "r-5") is None
        assert find_served(Checkout(served.root), "r-5") is None
    finally:
        path.write_bytes(before)


def test_what_would_bring_forgotten_data_back_is_refused(served):
    before = files_of(served.root / "requests", served.root / "evidence")
    with pytest.raises(RequestError, match=f"has forgotten request '{GROUP.id}' from this data"):
        delete_together(Checkout(served.root), (single("r-1", "1"), single("r-2", "2")))
    with pytest.raises(RequestError, match=f"has forgotten request '{GROUP.id}' from this data"):
        delete_together(Checkout(served.root), (*THREE, single("r-1", "1")))
    assert files_of(served.root / "requests", served.root / "evidence") == before


def test_every_certificate_of_the_checkout_is_verified(served):
    code, out, err = lethe(served.root, "verify", "--json")
    assert code == 0, err
    assert {one["request"]: one["result"] for one in json.loads(out)} == dict.fromkeys(NAMES, "verified")


def test_a_certificate_in_the_folder_of_another_member_is_found(served):
    own, others = (Checkout(served.root).certificate(name) for name in ("r-3", "r-5"))
    before = own.read_bytes()
    own.write_bytes(others.read_bytes())
    try:
        code, _, err = lethe(served.root, "verify")
        assert code == 6
        assert "r-3: the certificate is about request r-5" in err
    finally:
        own.write_bytes(before)


def test_kinds_are_not_mixed(served):
    before = files_of(served.root)
    with pytest.raises(RequestError, match="these name classes and subjects"):
        delete_together(Checkout(served.root), (single("r-1", "1"), single("r-2", subjects=PERSONS[:1])))
    assert files_of(served.root) == before


@pytest.mark.usefixtures("prefect_server")
def test_where_no_model_is_accepted_every_request_has_a_report(accepted, tmp_path):
    root = copied(accepted, tmp_path / "project", cache=True)
    policy = read_values(root)["policy"]
    write_params(root, {"policy": {**policy, "classes": [NOTHING], "reference": "none"}})
    with pytest.raises(GateError, match=f"request {GROUP.id}: no model was accepted"):
        delete_together(Checkout(root), THREE)
    failure = read_record(Checkout(root).failure(GROUP.id), DeletionRecord)
    assert failure.request == GROUP.id
    for name in NAMES:
        assert "Nothing was released" in Checkout(root).report(name).read_text()
        assert not Checkout(root).certificate(name).exists()
    assert champion(tracking_of(Checkout(root)), "digits") is None


@pytest.mark.usefixtures("prefect_server")
def test_persons_are_served_together_and_named_nowhere(trained, tmp_path):
    root = copied(trained, tmp_path / "project", cache=True)
    requests = tuple(single(f"p-{one[-1]}", subjects=(one,)) for one in PERSONS)
    released = delete_together(Checkout(root), requests)
    assert [one.outcome.request for one in released] == ["p-3", "p-4"]
    for one in released:
        assert verify_files(root / one.certificate)["scope"] == "subjects"
    page = Checkout(root).report("p-3").read_text()
    assert "Together they asked to forget the data of 2 people." in page
    manifest = read_manifest(Checkout(root).dataset)
    rows = [str(one) for one in manifest.sample_ids[[one in PERSONS for one in manifest.subject_ids]]]
    places = [root / folder for folder in ("requests", "evidence", "mlruns", "reports")]
    written = {**files_of(*places), "lock": (root / "dvc.lock").read_bytes()}
    names = [name.encode() for name in (*PERSONS, *rows)]
    assert len(names) > 2
    assert [path for path, raw in written.items() if any(name in raw for name in names)] == []
    pseudonyms = {path for path, raw in files_of(root / "evidence").items() if b"hmac-sha256:" in raw}
    assert pseudonyms == set()


def entered(root, *requests):
    """Enter requests into the checkout's ledger, and return its head."""
    ledger = connect_ledger(root)
    ledger.submit([Draft(one, "digits") for one in requests], actor="clerk")
    return ledger.head()


def test_a_certificate_carries_the_head_of_the_ledger_that_holds_the_requests(accepted, tmp_path):
    root = copied(accepted, tmp_path / "project", cache=True)
    certify(Checkout(root))
    assert statement_of(root, "r-3").ledger is None
    assert not Checkout(root).ledger.exists()
    shutil.rmtree(root / "evidence")
    entered(root, *THREE[:2])
    certify(Checkout(root))
    assert statement_of(root, "r-3").ledger is None
    shutil.rmtree(root / "evidence")
    head = entered(root, THREE[2])
    certify(Checkout(root))
    assert {statement_of(root, name).ledger for name in NAMES} == {head}


def test_a_ledger_that_holds_another_request_of_that_id_says_nothing(accepted, tmp_path):
    root = copied(accepted, tmp_path / "project", cache=True)
    entered(root, *THREE[:2], single("r-5", "6"))
    certify(Checkout(root))
    assert statement_of(root, "r-5").ledger is None


def test_a_ledger_that_cannot_be_reached_is_told_before_anything_is_promoted(accepted, tmp_path, monkeypatch):
    root = copied(accepted, tmp_path / "project", cache=True)
    monkeypatch.setenv("LETHE_DATABASE_URL", "postgresql://lethe:s3cret@127.0.0.1:1/ledger")
    with pytest.raises(SetupError, match=r"the ledger at postgresql://127\.0\.0\.1:1/ledger cannot be used"):
        certify(Checkout(root))
    assert champion(tracking_of(Checkout(root)), "digits") is None
    assert not Checkout(root).certificate("r-3").exists()


def test_what_was_signed_is_signed_again_only_if_it_says_something_else(accepted, tmp_path):
    root = copied(accepted, tmp_path / "project", cache=True)
    first = certify(Checkout(root))
    assert certify(Checkout(root)) == first
    path = Checkout(root).certificate("r-3")
    path.write_bytes(path.read_bytes()[:-2])
    again = certify(Checkout(root))
    changed = {one.outcome.request for one, other in zip(again, first, strict=True) if one != other}
    assert changed <= {"r-3"}
    verify_files(path)
    constraints = root / "constraints.txt"
    constraints.write_text("torch==2.15.0\n")
    third = certify(Checkout(root))
    assert not {one.certificate_digest for one in third} & {one.certificate_digest for one in again}
    assert len(registered(root)) == 1


def folders(s3, bucket, name):
    """Return the keys in a bucket that are called so, by the request whose they are."""
    return {key.split("/")[-3]: key for key in s3.objects(bucket) if key.endswith(f"/{name}")}


def test_each_request_has_its_own_evidence_in_the_bucket(served, bucket, s3):
    assert delete_together(Checkout(served.root), THREE) == served.released
    manifests = folders(s3, bucket, "manifest.json")
    assert sorted(manifests) == sorted(NAMES)
    for name in NAMES:
        code, out, err = lethe(served.root, "evidence", "verify", name, "--json")
        assert code == 0, err
        assert json.loads(out)["request"] == name
        outcome = json.loads(s3.objects(bucket)[manifests[name].replace("manifest", "outcome")])
        assert outcome["request"] == name


def test_no_model_is_promoted_while_one_certificate_is_not_stored(accepted, bucket, s3, tmp_path):
    root = copied(accepted, tmp_path / "project", cache=True)
    s3.refuse(1, "/r-8/", status="403 Forbidden", code="AccessDenied")
    with pytest.raises(SetupError, match="AccessDenied"):
        certify(Checkout(root))
    assert champion(tracking_of(Checkout(root)), "digits") is None
    assert sorted(folders(s3, bucket, CERTIFICATE)) == ["r-3", "r-5"]
    assert not registered(root)


def rows(root, query):
    """Ask MLflow's store itself, without opening it for others to wait for."""
    path = root / "mlruns/mlflow.db"
    if not path.is_file():
        return []
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as store:
        tables = {name for (name,) in store.execute("SELECT name FROM sqlite_master")}
        return store.execute(query).fetchall() if "registered_model_aliases" in tables else []


@pytest.mark.usefixtures("prefect_server")
@pytest.mark.parametrize(
    "every", [pytest.param(1, marks=pytest.mark.slow), pytest.param(6, marks=pytest.mark.long)]
)
def test_killed_after_any_write_it_ends_with_one_version_and_one_certificate_each(
    accepted, bucket, s3, tmp_path, every
):
    root = copied(accepted, tmp_path / "project", cache=True)
    checkout, signed, killed = Checkout(root), {}, 0
    program = [sys.executable, str(Path(__file__).with_name("certify_until.py")), str(root)]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(program, cwd=root, **pipes) as process:
        for writes in count(1, every):
            process.stdin.write(f"{writes}\n")
            process.stdin.flush()
            if (said := process.stdout.readline().strip()) == "done":
                break
            assert said == "killed"
            killed += 1
            found = {name: checkout.certificate(name) for name in NAMES}
            there = {name: sha256(path.read_bytes()) for name, path in found.items() if path.is_file()}
            assert signed.items() <= there.items()
            signed = there
            assert len(rows(root, "SELECT version FROM model_versions")) <= 1
            if rows(root, "SELECT alias FROM registered_model_aliases"):
                assert sorted(folders(s3, bucket, CERTIFICATE)) == sorted(NAMES)
                left = None if find_served(checkout, GROUP.id) else GROUP
                assert find_unfinished(checkout) == left
            else:
                assert not any(checkout.released(name).exists() for name in NAMES)
        process.stdin.close()
    assert process.returncode == 0
    assert killed > 20 / every
    released = delete_together(Checkout(root), THREE)
    assert {one.outcome.request: one.certificate_digest for one in released} == signed
    assert find_unfinished(checkout) is None
    assert len(registered(root)) == 1
    stored = [key for key in s3.objects(bucket) if key.endswith(CERTIFICATE)]
    assert len(stored) == len(folders(s3, bucket, "manifest.json")) == 3
    assert "up to date" in run(root, "dvc", "status").stdout
    assert tracking_of(Checkout(root)).client.get_run(released[0].run).info.status == "FINISHED"


@pytest.mark.usefixtures("prefect_server")
def test_what_was_promoted_and_cut_short_is_finished_by_any_of_its_requests(accepted, tmp_path):
    root = copied(accepted, tmp_path / "project", cache=True)
    certify(Checkout(root))
    Checkout(root).released("r-8").unlink()
    assert find_served(Checkout(root), "r-3") is None
    (released,) = delete(Checkout(root), read_request(Checkout(root), "r-3"))
    assert released.outcome.request == "r-3"
    assert find_served(Checkout(root), GROUP.id) is not None
    assert "up to date" in run(root, "dvc", "status").stdout
    assert len(registered(root)) == 1


@pytest.mark.parametrize("part", ["id", "members", "scope"])
def test_a_group_that_was_altered_before_signing_is_refused(accepted, tmp_path, part):
    from tasks.checkout.environment import now
    from tasks.evidence.certification import gather_certificates
    from tasks.keys.signing import sign_statement
    from unlearn_core.records.certificate import Statement
    from unlearn_core.records.request import RequestSummary

    root = copied(accepted, tmp_path / "project", cache=True)
    deletion = read_record(Checkout(root).deletion, DeletionRecord)
    first, *_ = gather_certificates(Checkout(root), deletion, started=now())
    group = first.group
    other = RequestSummary(id="r-9", kind="classes", scope=group.scope)
    changes = {
        "id": {"group": group.model_copy(update={"id": "group-0123456789ab"})},
        "members": {"group": group.model_copy(update={"members": tuple(sorted(group.members))[:2]})},
        "scope": {"request": other},
    }
    with pytest.raises(EvidenceError, match="contradicts itself"):
        sign_statement(Statement.of(first.model_copy(update=changes[part]), name=WEIGHTS))
