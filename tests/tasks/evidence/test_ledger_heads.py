"""A ledger beside certificates that carry its heads: cut off, rebuilt, or compared with what cannot be read.

Each of these must turn red: a ledger without its last rows, or a new one with the same requests, that passes
beside a certificate that was signed before; a place that is left out without a word.
"""

import json
import shutil

import pytest
from ledgers import draft, drop_triggers, enter
from world import ROOT, lethe, make_checkout

from tasks.checkout.checkout import Checkout
from tasks.checkout.environment import now
from tasks.evidence.head_stamps import stamp_head
from tasks.evidence.heads import compare_ledger, gather_heads
from tasks.keys.signing import sign_statement
from tasks.requests.ledger.ledger import connect
from tasks.storage.object_store import find_store
from unlearn_core.audit.envelope import decode_envelope
from unlearn_core.errors import EvidenceError
from unlearn_core.records.base import canonical_json
from unlearn_core.records.certificate import Statement

GOLDEN = ROOT / "tests/golden/certificate-v1.dsse.json"


@pytest.fixture(scope="module")
def origin(own_folders, tmp_path_factory):
    return make_checkout(tmp_path_factory.mktemp("heads") / "project")


@pytest.fixture
def project(origin, monkeypatch):
    """A checkout without a ledger and without evidence."""
    monkeypatch.delenv("LETHE_DATABASE_URL", raising=False)
    (origin / "requests/ledger.db").unlink(missing_ok=True)
    for path in (origin / "evidence").glob("*/certificate.dsse.json"):
        path.unlink()
    shutil.rmtree(origin / "evidence/_ledger", ignore_errors=True)
    return origin


def signed(name, head):
    statement = json.loads(decode_envelope(GOLDEN.read_bytes()).payload)
    statement["predicate"] |= {"ledger": head}
    statement["predicate"]["request"] |= {"id": name}
    statement["predicate"]["provenance"] |= {"started": now(), "finished": now()}
    return sign_statement(Statement.parse(canonical_json(statement)))


def certify(project, name, head):
    path = Checkout(project).certificate(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(signed(name, head))


def compare(project, *, shared=False):
    return compare_ledger(connect(project), gather_heads(project, shared=shared))


def cut(ledger, *, keep):
    """Remove the last rows, so that what is left agrees with itself."""
    drop_triggers(ledger.engine)
    with ledger.engine.begin() as connection:
        connection.exec_driver_sql(f"DELETE FROM deletion_events WHERE sequence > {keep}")
        connection.exec_driver_sql(
            "DELETE FROM deletion_requests WHERE id NOT IN (SELECT request FROM deletion_events)"
        )
    restore_triggers(ledger.engine)


def restore_triggers(engine):
    from tasks.requests.ledger.migrations.versions import v0001_requests_and_events as first
    from tasks.requests.ledger.migrations.versions import v0003_runs as third

    with engine.begin() as connection:
        for statement in (*first.SQLITE[:2], *third.SQLITE):
            connection.exec_driver_sql(statement)


@pytest.fixture
def served(project):
    """Three requests in the ledger; the first and the last have a certificate."""
    ledger = connect(project)
    enter(ledger, "r-1")
    certify(project, "r-1", ledger.head())
    enter(ledger, "r-2", "r-3")
    certify(project, "r-3", ledger.head())
    return ledger


def test_a_whole_ledger_is_compared_with_every_certificate_here(project, served):
    code, out, err = lethe(project, "request", "verify", "--json")
    assert (code, err) == (0, "")
    told = json.loads(out)
    assert sorted(told["compared"]) == [f"evidence/{one}/certificate.dsse.json" for one in ("r-1", "r-3")]
    assert told["compared"]["evidence/r-3/certificate.dsse.json"] == told["head"]
    assert told["not_compared"] == {"the bucket": "none is configured"}


def test_a_ledger_without_its_last_rows_is_noticed_and_said_to_be_cut_off(project, served):
    cut(served, keep=2)
    served.verify()
    code, _, err = lethe(project, "request", "verify")
    assert code == 6
    assert "it was cut off or rewritten somewhere after event 1: it has only 1 of the 2 heads" in err
    assert "evidence/r-3/certificate.dsse.json" in err
    assert "evidence/r-1" not in err


def test_a_ledger_that_was_made_anew_with_the_same_requests_is_noticed(project, served):
    (project / "requests/ledger.db").unlink()
    anew = connect(project)
    anew.submit([draft(one) for one in ("r-1", "r-2", "r-3")], actor="somebody else")
    assert anew.verify()
    with pytest.raises(EvidenceError, match="it was rebuilt, or is another one: it has none of the 2 heads"):
        compare(project)


def test_an_empty_ledger_beside_certificates_is_noticed(project, served):
    (project / "requests/ledger.db").unlink()
    with pytest.raises(EvidenceError, match="it was rebuilt"):
        compare(project)


def test_what_is_not_signed_by_a_trusted_key_or_carries_no_head_is_said_to_be_left_out(project, served):
    certify(project, "r-2", None)
    for name, content in {"r-4": GOLDEN.read_bytes(), "r-5": b"{}"}.items():
        Checkout(project).evidence(name).mkdir(parents=True, exist_ok=True)
        Checkout(project).certificate(name).write_bytes(content)
    left_out = gather_heads(project, shared=False).left_out
    assert "carries no head" in left_out["evidence/r-2/certificate.dsse.json"]
    assert "not trusted" in left_out["evidence/r-4/certificate.dsse.json"]
    assert "evidence/r-5/certificate.dsse.json" in left_out
    compare(project)


def test_heads_in_the_bucket_are_compared_too(project, served, bucket, monkeypatch):
    monkeypatch.setenv("LETHE_S3_BUCKET", bucket)
    store, model = find_store(), Checkout(project).params.registry.model
    store.write_once(f"{model}/r-2/c/certificate.dsse.json", signed("r-2", served.head()))
    store.write_once("other/r-7/c/certificate.dsse.json", signed("r-7", "sha256:" + "7" * 64))
    compared = dict(gather_heads(project, shared=False).heads())
    assert compared[store.address(f"{model}/r-2/c/certificate.dsse.json")] == served.head()
    compare(project)
    with pytest.raises(EvidenceError, match=r"only 3 of the 4 heads at hand:\n  s3://.*/other/r-7/c/"):
        compare(project, shared=True)


def test_a_bucket_that_cannot_be_read_is_said_to_be_left_out(project, served, monkeypatch):
    monkeypatch.setenv("LETHE_S3_BUCKET", "nowhere")
    monkeypatch.setenv("LETHE_S3_ENDPOINT", "http://127.0.0.1:1")
    monkeypatch.setattr("tasks.checkout.patience.TRIES", 1)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    at_hand = gather_heads(project, shared=False)
    assert "the bucket" in at_hand.left_out
    assert at_hand.left_out["the bucket"] != "none is configured"
    assert len(at_hand.certificates) == 2


def test_a_stamped_head_shows_a_ledger_that_was_cut_off_without_any_certificate(project, notary):
    ledger = connect(project)
    enter(ledger, "r-1", "r-2")
    code, out, err = lethe(project, "request", "stamp")
    assert (code, err) == (0, "")
    assert out.startswith("stamped      head-2.json: ")
    code, out, _ = lethe(project, "request", "verify", "--json")
    (place,) = json.loads(out)["compared"]
    assert place.startswith("evidence/_ledger/head-2.json (")
    assert place.endswith("C=XX,CN=A Notary)")
    cut(ledger, keep=1)
    code, _, err = lethe(project, "request", "verify")
    assert code == 6
    assert "evidence/_ledger/head-2.json" in err


def test_a_head_that_nobody_stamped_or_whose_stamp_is_of_another_is_left_out(project, notary):
    ledger = connect(project)
    enter(ledger, "r-1")
    path, _ = stamp_head(project, ledger)
    path.write_bytes(path.read_bytes().replace(b'"events":1', b'"events":7'))
    (project / "evidence/_ledger/head-9.json").write_bytes(path.read_bytes())
    at_hand = gather_heads(project, shared=False)
    assert list(at_hand.heads()) == []
    assert "of other content" in at_hand.left_out["evidence/_ledger/head-1.json"]
    assert "no time stamp" in at_hand.left_out["evidence/_ledger/head-9.json"]


def test_stamped_heads_in_the_bucket_are_compared_too(project, notary, bucket, monkeypatch):
    monkeypatch.setenv("LETHE_S3_BUCKET", bucket)
    ledger = connect(project)
    enter(ledger, "r-1")
    path, _ = stamp_head(project, ledger)
    shutil.rmtree(path.parent)
    (place,) = dict(gather_heads(project, shared=False).heads())
    assert place.startswith(f"s3://{bucket}/_ledger/head-1.json (")


def test_an_empty_ledger_has_no_head_to_stamp(project, notary):
    connect(project)
    code, _, err = lethe(project, "request", "stamp")
    assert code == 2
    assert "no event yet" in err
