"""Evidence in S3, over real HTTP: what goes there, what never does, and what is noticed.

Each of these must turn red: a model promoted before its certificate is stored; a pseudonym or a key in an
object; an altered object that verification takes for what was stored; a bundle whose manifest came first.
"""

import json
import re
import shutil
import subprocess
from dataclasses import dataclass

import pytest
from s3 import SECRETS
from sequence import serve
from story import PERSON
from templates import copied, prepared_checkout
from world import NOISE, ROOT, files_of, lethe

from flows.delete import delete, deletion
from flows.stages.certify import certify, certify_and_store
from tasks.checkout.checkout import CERTIFICATE, Checkout, short
from tasks.data.datasets import read_manifest
from tasks.evidence.downloading import fetch_evidence
from tasks.evidence.stored import MANIFEST
from tasks.keys.folder import load_pseudonym_key
from tasks.lifecycle.releases import read_release
from tasks.requests.request_file import make_scope, read_request
from tasks.tracking.registry import champion
from tasks.tracking.runs import tracking_of
from unlearn_core.errors import EvidenceError, LetheError, PipelineError, SetupError, UnavailableError
from unlearn_core.records.base import sha256
from unlearn_core.records.evidence import EvidenceManifest

pytestmark = [*NOISE, pytest.mark.long]

REQUEST = "r-17"
PAGE = ROOT / "docs/evidence-store.md"


@pytest.fixture(scope="module")
def served(own_folders, tmp_path_factory):
    """A checkout that has served a request for one person, without any store."""
    root = prepared_checkout(tmp_path_factory.mktemp("evidence") / "project")
    serve(root, REQUEST, make_scope(classes=(), samples=(), subjects=(PERSON,)))
    return root


def evidence(root, verb, *arguments):
    code, out, err = lethe(root, "evidence", verb, REQUEST, *arguments)
    return code, out, err


def pushed(root):
    code, out, err = evidence(root, "push", "--json")
    assert (code, err) == (0, "")
    return json.loads(out)


def verified(root):
    code, out, err = evidence(root, "verify", "--json")
    assert (code, err) == (0, "")
    return json.loads(out)


def folder_in_bucket(root):
    return f"audit/digits/{REQUEST}/{short(read_release(Checkout(root), REQUEST).certificate_digest)}"


def test_the_evidence_is_stored_and_reads_back(served, bucket, s3):
    told = pushed(served)
    folder = folder_in_bucket(served)
    assert told["location"] == f"s3://{bucket}/{folder}"
    stored = {key.removeprefix(f"{folder}/"): raw for key, raw in s3.objects(bucket).items()}
    manifest = EvidenceManifest.parse(stored.pop(MANIFEST))
    assert {one.path: (one.size, one.sha256) for one in manifest.files} == {
        path: (len(raw), sha256(raw)) for path, raw in stored.items()
    }
    assert {CERTIFICATE, "report.html", "report.json", "coverage.json", "policy.json"} < set(stored)
    assert {"deletion.json", "outcome.json", "data_docs/split-rules.html"} < set(stored)
    checked = verified(served)
    assert checked["signed_by"]
    assert checked["files"] == len(stored) + 1


def test_the_records_are_the_pipelines_own(served, bucket, s3):
    pushed(served)
    objects, folder = s3.objects(bucket), folder_in_bucket(served)
    assert objects[f"{folder}/deletion.json"] == Checkout(served).deletion.read_bytes()
    assert objects[f"{folder}/outcome.json"] == Checkout(served).outcome.read_bytes()


def test_the_manifest_comes_last_and_a_second_push_sends_nothing(served, bucket, s3):
    first = pushed(served)
    assert first["sent"][0] == CERTIFICATE
    assert first["sent"][-1] == MANIFEST
    s3.asked.clear()
    assert pushed(served) == {**first, "sent": []}
    assert s3.sent() == []


def test_no_object_names_a_person_or_a_sample(served, bucket, s3):
    pushed(served)
    manifest = read_manifest(Checkout(served).dataset)
    names = {PERSON, "hmac-sha256:", "subject-", *map(str, manifest.sample_ids)}
    secrets = {*SECRETS.values(), load_pseudonym_key().hex()}
    for key, raw in s3.objects(bucket).items():
        text = raw.decode()
        assert [one for one in {*names, *secrets} if one in text] == [], key


def test_what_the_page_says_for_elsewhere_finds_what_was_altered(served, bucket, s3, tmp_path):
    (command,) = re.findall(r"^python3 -c .* sha256sum --check$", PAGE.read_text(), re.MULTILINE)
    pushed(served)
    for key, raw in s3.objects(bucket).items():
        path = tmp_path / key.removeprefix(f"{folder_in_bucket(served)}/")
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(raw)
    assert subprocess.run(command, shell=True, cwd=tmp_path, capture_output=True, check=False).returncode == 0
    (tmp_path / "report.html").write_bytes(b"altered")
    done = subprocess.run(command, shell=True, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "report.html: FAILED" in done.stdout


def test_a_file_with_a_pseudonym_is_not_sent(copy, bucket, s3):
    page = Checkout(copy).report(REQUEST)
    page.write_bytes(page.read_bytes() + b"hmac-sha256:0")
    code, _, err = evidence(copy, "push")
    assert code == PipelineError.exit_code
    assert "report.html of request 'r-17' holds a pseudonym" in err
    assert s3.objects(bucket) == {}


def test_nothing_printed_or_written_holds_a_secret(copy, bucket, s3, caplog):
    outputs = [*evidence(copy, "push"), *evidence(copy, "verify")]
    s3.refuse(1, status="403 Forbidden", code="AccessDenied")
    outputs += [*evidence(copy, "push"), caplog.text]
    written = b"".join(files_of(copy / "evidence", copy / "requests", copy / "mlruns").values())
    for secret in SECRETS.values():
        assert secret not in str(outputs)
        assert secret.encode() not in written


@pytest.mark.parametrize("path", [CERTIFICATE, "report.html", "coverage.json", "data_docs/split-rules.html"])
def test_an_object_that_was_altered_is_found(served, bucket, s3, path):
    pushed(served)
    key = f"{folder_in_bucket(served)}/{path}"
    altered = s3.objects(bucket)[key].replace(b"e", b"a", 1)
    s3.client.put_object(Bucket=bucket, Key=key, Body=altered)
    code, _, err = evidence(served, "verify")
    assert code == 6
    assert f"{path} was altered there" in err


def test_an_object_altered_together_with_the_manifest_is_found(served, bucket, s3):
    pushed(served)
    folder = folder_in_bucket(served)
    objects = s3.objects(bucket)
    before, after = objects[f"{folder}/report.html"], b"<p>all is well</p>"
    manifest = json.loads(objects[f"{folder}/{MANIFEST}"])
    entry = next(one for one in manifest["files"] if one["path"] == "report.html")
    entry.update(size=len(after), sha256=sha256(after))
    s3.client.put_object(Bucket=bucket, Key=f"{folder}/report.html", Body=after)
    s3.client.put_object(Bucket=bucket, Key=f"{folder}/{MANIFEST}", Body=json.dumps(manifest).encode())
    code, _, err = evidence(served, "verify")
    assert code == 6
    assert f"report.html differs: {sha256(after)} in the store's manifest, {sha256(before)} here" in err


def test_a_removed_object_is_found_and_stored_again(served, bucket, s3):
    pushed(served)
    s3.client.delete_object(Bucket=bucket, Key=f"{folder_in_bucket(served)}/report.html")
    code, _, err = evidence(served, "verify")
    assert code == 6
    assert "report.html is missing from the store" in err
    assert pushed(served)["sent"] == ["report.html"]
    verified(served)


def test_a_manifest_that_is_missing_or_is_none_is_found(served, bucket, s3):
    code, _, err = evidence(served, "verify")
    assert code == 6
    assert "lethe evidence push r-17" in err
    pushed(served)
    s3.client.put_object(Bucket=bucket, Key=f"{folder_in_bucket(served)}/{MANIFEST}", Body=b"{}")
    code, _, err = evidence(served, "verify")
    assert code == 6
    assert "is not a manifest" in err


def test_an_untrusted_signature_is_found(served, bucket, tmp_path, monkeypatch):
    from tasks.keys.folder import init_keys

    pushed(served)
    init_keys(tmp_path / "others")
    monkeypatch.setenv("LETHE_HOME", str(tmp_path / "others"))
    code, _, err = evidence(served, "verify")
    assert code == 6
    assert "which is not trusted" in err


def test_other_bytes_in_the_bucket_stay(served, bucket, s3):
    key = f"{folder_in_bucket(served)}/report.html"
    s3.client.put_object(Bucket=bucket, Key=key, Body=b"theirs")
    code, _, err = evidence(served, "push")
    assert code == 6
    assert f"s3://{bucket}/{key} holds bytes other than these" in err
    assert s3.objects(bucket)[key] == b"theirs"


def test_a_lock_is_told(served, s3, bucket, monkeypatch):
    s3.client.create_bucket(Bucket=f"{bucket}-locked", ObjectLockEnabledForBucket=True)
    monkeypatch.setenv("LETHE_S3_BUCKET", f"{bucket}-locked")
    monkeypatch.setenv("LETHE_S3_RETAIN_DAYS", "30")
    assert pushed(served)["locked_until"].endswith("(GOVERNANCE)")
    assert verified(served)["locked_until"].endswith("(GOVERNANCE)")
    assert "locked       2" in evidence(served, "verify")[1]


def test_without_a_store_there_is_nothing_to_do(served, s3):
    code, out, err = evidence(served, "push")
    assert (code, out) == (2, "")
    assert "set LETHE_S3_BUCKET" in err


def test_without_a_certificate_there_is_nothing_to_store(served, bucket):
    code, out, err = lethe(served, "evidence", "push", "r-404")
    assert (code, out) == (2, "")
    assert "cannot read the certificate" in err


def test_a_report_of_another_certificate_is_not_stored_beside_this_one(copy, bucket):
    kept = Checkout(copy).report_facts(REQUEST)
    kept.unlink()
    code, _, err = evidence(copy, "push")
    assert code == 2
    assert "lethe report r-17" in err


def test_where_the_store_cannot_be_used_no_request_is_begun(copy, s3, monkeypatch):
    monkeypatch.setenv("LETHE_S3_BUCKET", "no-such-bucket")
    before = files_of(copy)
    code, out, err = lethe(copy, "delete", "r-18", "--class", "5")
    assert (code, out) == (2, "")
    assert "s3://no-such-bucket answered NoSuchBucket" in err
    assert files_of(copy) == before


@dataclass(frozen=True)
class Interrupted:
    """A request that was certified while the store failed, step by step.

    Attributes:
        refused: What certifying raised without permission to write, and ``promoted`` whether a model was.
        certified: The keys in the bucket once certifying succeeded, and ``certificate`` that one's.
        away: What serving the request again raised while the store was away.
        repeated: The files that a verification after one more repetition found, of ``stored``.
        again: What was sent when the page had changed and the request was served again.
        stage: The files that a verification found after the stage of `dvc repro` had run once more, and
            ``certificates`` how many there were in the bucket then.
    """

    refused: Exception
    promoted: bool
    certified: list[str]
    certificate: str
    away: Exception
    repeated: int
    stored: int
    again: list[str]
    stage: int
    certificates: int


@pytest.fixture(scope="module")
def interrupted(served, s3, tmp_path_factory):
    root = copied(served, tmp_path_factory.mktemp("interrupted") / "project")
    s3.client.create_bucket(Bucket="interrupted")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LETHE_S3_BUCKET", "interrupted")
        patch.setenv("LETHE_S3_PREFIX", "audit")
        patch.setattr("tasks.checkout.patience.TRIES", 1)
        s3.refuse(1, "PUT", status="403 Forbidden", code="AccessDenied")
        refused = raised(certify, Checkout(root))
        promoted = champion(tracking_of(Checkout(root)), "digits") is not None
        certify(Checkout(root))
        certified, certificate = list(s3.objects("interrupted")), f"{folder_in_bucket(root)}/{CERTIFICATE}"
        s3.refuse(1, "PUT")
        away = raised(delete, Checkout(root), read_request(Checkout(root), REQUEST))
        delete(Checkout(root), read_request(Checkout(root), REQUEST))
        repeated, stored = verified(root)["files"], len(s3.objects("interrupted"))
        page = Checkout(root).report(REQUEST)
        page.write_bytes(page.read_bytes() + b"\n")
        s3.asked.clear()
        delete(Checkout(root), read_request(Checkout(root), REQUEST))
        again = s3.sent()
        certify_and_store(Checkout(root))
        stage = verified(root)["files"]
        certificates = sum(key.endswith(CERTIFICATE) for key in s3.objects("interrupted"))
    return Interrupted(
        refused, promoted, certified, certificate, away, repeated, stored, again, stage, certificates
    )


def raised(do, *arguments):
    """Return the error that something raises."""
    with pytest.raises(LetheError) as error:
        do(*arguments)
    return error.value


def test_no_model_is_promoted_whose_certificate_could_not_be_stored(interrupted):
    assert isinstance(interrupted.refused, SetupError)
    assert "AccessDenied" in str(interrupted.refused)
    assert not interrupted.promoted


def test_certifying_stores_the_certificate(interrupted):
    assert interrupted.certified == [interrupted.certificate]


def test_what_could_not_be_stored_is_stored_when_the_request_is_repeated(interrupted):
    assert isinstance(interrupted.away, UnavailableError)
    assert interrupted.repeated == interrupted.stored > 1


def test_a_request_that_is_stored_is_not_looked_through_again(interrupted):
    assert interrupted.again == []


def test_the_stage_certifies_nothing_anew(interrupted):
    assert (interrupted.stage, interrupted.certificates) == (interrupted.repeated, 1)


@pytest.mark.long
@pytest.mark.usefixtures("prefect_server")
def test_the_flow_stores_all_of_it_and_tries_again_where_the_store_is_away(copy, bucket, s3, monkeypatch):
    monkeypatch.setattr("tasks.checkout.patience.TRIES", 1)
    Checkout(copy).released(REQUEST).unlink()
    lock = (copy / "dvc.lock").read_bytes()
    s3.refuse(1, "report.html")
    deletion(Checkout(copy), REQUEST)
    assert s3.refusals == 0
    assert verified(copy)["files"] == len(s3.objects(bucket))
    assert (copy / "dvc.lock").read_bytes() == lock


def test_what_another_machine_stored_is_fetched_with_the_record_of_its_release(copy, bucket):
    pushed(copy)
    checkout = Checkout(copy)
    kept = {path: path.read_bytes() for path in (checkout.certificate(REQUEST), checkout.released(REQUEST))}
    shutil.rmtree(checkout.evidence(REQUEST))
    fetch_evidence(checkout, REQUEST)
    assert {path: path.read_bytes() for path in kept} == kept


def test_what_is_false_in_the_store_is_not_fetched(copy, bucket, s3):
    pushed(copy)
    key = f"{folder_in_bucket(copy)}/report.json"
    raw = s3.objects(bucket)[key]
    s3.client.put_object(Bucket=bucket, Key=key, Body=raw.replace(b'"', b" ", 1))
    shutil.rmtree(Checkout(copy).evidence(REQUEST))
    with pytest.raises(EvidenceError, match=r"report\.json was altered there"):
        fetch_evidence(Checkout(copy), REQUEST)
    assert not Checkout(copy).evidence(REQUEST).exists()
