"""The audit of a deployment: one walk of the ledger's chain, and what lies in the bucket of every request.

Each of these must turn red: a chain that is walked for every certificate; a certificate with the head of
another ledger, or about another request, that passes; a request without evidence that is left out.
"""

import json
from contextlib import nullcontext
from dataclasses import replace

import pytest
from world import NOISE, ROOT, clone

from flows.audit import audit
from flows.verify import verify_release
from flows.worker.deployments import verify
from tasks.checkout.checkout import Checkout
from tasks.checkout.environment import now
from tasks.evidence.dating import require_received
from tasks.evidence.heads import compare_ledger, gather_heads
from tasks.evidence.stored import MANIFEST
from tasks.keys.signing import sign_statement
from tasks.requests.ledger import reading
from tasks.requests.ledger.changing import Draft
from tasks.requests.ledger.ledger import connect
from tasks.storage.object_store import find_store
from unlearn_core.audit.deadlines import later
from unlearn_core.audit.envelope import decode_envelope
from unlearn_core.errors import EvidenceError
from unlearn_core.records.approval import Approval
from unlearn_core.records.base import canonical_json, sha256
from unlearn_core.records.certificate import Statement
from unlearn_core.records.evidence import EvidenceManifest, StoredFile
from unlearn_core.records.request import DeletionRequest
from unlearn_core.records.scope import ClassScope

pytestmark = NOISE

GOLDEN = decode_envelope((ROOT / "tests/golden/certificate-digits.dsse.json").read_bytes())[0]
NAMES = ("r-1", "r-2", "r-3")
ELSEWHERE = "sha256:" + "0" * 64


@pytest.fixture
def desk(tmp_path, monkeypatch):
    """A folder that is no checkout; the ledger is elsewhere."""
    monkeypatch.setenv("LETHE_DATABASE_URL", f"sqlite:///{tmp_path}/ledger.db")
    return tmp_path


@pytest.fixture
def ledger(desk):
    """A ledger in which three requests were completed and one waits."""
    made = connect(None)
    drafts = [Draft(DeletionRequest(id=name, scope=ClassScope(classes=("3",))), "digits") for name in NAMES]
    made.submit(drafts, actor="clerk")
    for name in NAMES:
        made.claim("worker")
        made.complete(name, "worker")
    made.submit([Draft(DeletionRequest(id="r-4", scope=ClassScope(classes=("5",))), "digits")], actor="clerk")
    return made


def certify(name, head, finished=None, started=None):
    """Return the golden certificate, told of a request and a head, and signed anew."""
    statement = json.loads(GOLDEN)
    statement["predicate"] |= {"ledger": head}
    statement["predicate"]["request"] |= {"id": name}
    times = {"started": started or finished or now(), "finished": finished or now()}
    statement["predicate"]["provenance"] |= times
    return sign_statement(Statement.parse(canonical_json(statement)))


def store(name, head, *, about=None, finished=None, started=None):
    """Store the evidence of a request: a certificate and its manifest."""
    certificate = certify(about or name, head, finished, started)
    file = StoredFile(path="certificate.dsse.json", size=len(certificate), sha256=sha256(certificate))
    manifest = EvidenceManifest(
        request=about or name,
        registered_model="digits",
        model=json.loads(GOLDEN)["predicate"]["models"]["unlearned"],
        certificate=sha256(certificate),
        files=(file,),
    )
    bucket = find_store()
    bucket.write_once(f"digits/{name}/c/{file.path}", certificate)
    bucket.write_once(f"digits/{name}/c/{MANIFEST}", manifest.canonical())


@pytest.fixture
def evidence(ledger, bucket):
    """Evidence of all three, each certified with a head that the ledger had."""
    for name in NAMES:
        store(name, ledger.history(name)[1][0].digest)


def results(desk):
    return {one["request"]: one["result"] for one in audit(desk)}


def test_the_evidence_of_every_completed_request_is_verified(desk, evidence):
    assert results(desk) == dict.fromkeys(NAMES, "verified")


def test_the_chain_is_walked_once_however_many_certificates_there_are(desk, evidence, monkeypatch):
    walks = []
    walk = reading.check_ledger
    monkeypatch.setattr(reading, "check_ledger", lambda *read: walks.append(read) or walk(*read))
    assert len(results(desk)) == 3
    assert len(walks) == 1


def test_a_head_that_the_ledger_does_not_hold_is_told_of_its_request(desk, ledger, bucket):
    store("r-1", ledger.head())
    store("r-2", ELSEWHERE)
    store("r-3", None)
    found = results(desk)
    assert (found["r-1"], found["r-3"]) == ("verified", "verified")
    assert found["r-2"].startswith(f"the ledger has no event {ELSEWHERE}: it was truncated")


def test_evidence_of_requests_that_the_ledger_no_longer_knows_is_told(desk, ledger, evidence, monkeypatch):
    monkeypatch.setenv("LETHE_DATABASE_URL", f"sqlite:///{desk}/new.db")
    found = results(desk)
    assert set(found) == set(NAMES)
    assert all("it was truncated or rebuilt" in result for result in found.values())


def test_what_is_not_in_the_bucket_is_told_of_its_request(desk, ledger, bucket, s3):
    store("r-1", ledger.head())
    store("r-2", ledger.head())
    s3.client.delete_object(Bucket=bucket, Key="audit/digits/r-2/c/certificate.dsse.json")
    found = results(desk)
    assert found["r-1"] == "verified"
    assert "certificate.dsse.json is missing from the store" in found["r-2"]
    assert found["r-3"] == f"s3://{bucket}/audit/digits/r-3/ holds no complete evidence"


def test_evidence_of_another_request_does_not_stand_in(desk, evidence, ledger, bucket, s3):
    for one in s3.objects(bucket):
        if "/r-2/" in one:
            s3.client.delete_object(Bucket=bucket, Key=one)
    store("r-2", ledger.head(), about="r-1")
    assert results(desk)["r-2"] == f"the evidence in s3://{bucket}/audit/digits/r-2/c is about request r-1"


def test_an_altered_ledger_ends_the_audit(desk, evidence, ledger):
    with ledger.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE deletion_requests SET attempts = 2 WHERE id = 'r-1'")
    with pytest.raises(EvidenceError, match="left it completed after 1 attempts; it is completed after 2"):
        audit(desk)


@pytest.mark.usefixtures("prefect_server")
def test_without_a_bucket_certificates_are_looked_for_in_the_checkout(ledger, project, tmp_path, monkeypatch):
    root = clone(project, tmp_path / "project")
    for name, head in {"r-1": ledger.head(), "r-2": ELSEWHERE}.items():
        path = Checkout(root).certificate(name)
        path.parent.mkdir(parents=True)
        path.write_bytes(certify(name, head))
    monkeypatch.chdir(root)
    with pytest.raises(EvidenceError) as told:
        verify()
    first, second, third = str(told.value).splitlines()
    assert first == "2 of 3 requests have evidence that is false:"
    assert second.startswith(f"  r-2: the ledger has no event {ELSEWHERE}")
    assert third == "  r-3: the certificate is missing"


def test_a_certificate_that_is_older_than_the_head_it_names_is_false(desk, ledger, bucket):
    head = ledger.history("r-1")[1][0].digest
    store("r-1", head, finished="2026-11-29T22:14:37Z")
    assert "later than 2026-11-29T22:14:37Z" in results(desk)["r-1"]


def before(time, seconds):
    return later(time, -seconds)


@pytest.mark.parametrize(("by_s", "says"), [(300, "verified"), (301, "its service began at")])
def test_a_service_that_began_before_the_request_was_received_is_named(desk, ledger, bucket, by_s, says):
    received = ledger.history("r-1")[0].submission.received
    store("r-1", ledger.head(), started=before(received, by_s))
    assert results(desk)["r-1"].startswith(says)
    at_hand = gather_heads(None, shared=True)
    with nullcontext() if by_s == 300 else pytest.raises(EvidenceError, match=r"s3://.*r-1.*: its service"):
        assert compare_ledger(ledger, at_hand) == ledger.head()


def test_a_receipt_of_which_the_day_is_known_may_be_of_the_day_before_in_utc(desk, ledger, bucket):
    draft = Draft(DeletionRequest(id="r-5", scope=ClassScope(classes=("3",))), "digits")
    ledger.submit([replace(draft, received="2026-02-03T00:00:00Z")], actor="clerk")
    for hours, says in ((14, ""), (15, "before the request was received at 2026-02-03T00:00:00Z")):
        raw = certify("r-5", ledger.head(), started=before("2026-02-03T00:00:00Z", hours * 3600))
        certified = Statement.parse(decode_envelope(raw).payload).predicate
        with nullcontext() if not says else pytest.raises(EvidenceError, match=says):
            require_received(ledger, certified, None)


def test_a_checkout_with_a_ledger_names_what_was_served_or_approved_before_its_receipt(ledger, tmp_path):
    checkout = Checkout(tmp_path)
    early = before(ledger.history("r-1")[0].submission.received, 3600)
    checkout.certificate("r-1").parent.mkdir(parents=True)
    checkout.certificate("r-1").write_bytes(certify("r-1", ledger.head(), started=early))
    assert "its service began" in verify_release.fn(checkout, "r-1", ())["result"]
    certified = Statement.parse(decode_envelope(certify("r-1", ledger.head())).payload).predicate
    decided = {"request": "r-1", "deletion": ELSEWHERE, "approved": True, "by": "x", "reason": None}
    require_received(ledger, certified, Approval(**decided, time=now()))
    with pytest.raises(EvidenceError, match="it was approved at"):
        require_received(ledger, certified, Approval(**decided, time=early))
