"""S3 over real HTTP: written once, read back, locked, and what goes wrong is said.

Each of these must turn red: a write without ``If-None-Match``; a 503 taken for the end; an error of Lethe's
own where a traceback would stand; a key in a message.
"""

import base64
import hashlib
import threading
import time

import pytest
from s3 import SECRETS

from tasks.storage.object_store import ObjectStore, find_store
from unlearn_core.errors import ConfigurationError, EvidenceError, SetupError, UnavailableError


@pytest.fixture
def store(s3, bucket):
    return ObjectStore(bucket, prefix="lethe/", endpoint=s3.endpoint)


@pytest.fixture
def locked(s3, bucket):
    name = f"{bucket}-locked"
    s3.client.create_bucket(Bucket=name, ObjectLockEnabledForBucket=True)
    return name


def test_what_is_written_is_read_back_and_has_its_checksum_in_the_store(store, s3):
    assert store.write_once("a/b", b"evidence")
    assert store.read("a/b") == b"evidence"
    head = s3.client.head_object(Bucket=store.bucket, Key="lethe/a/b", ChecksumMode="ENABLED")
    assert base64.b64decode(head["ChecksumSHA256"]) == hashlib.sha256(b"evidence").digest()


def test_the_same_bytes_are_not_sent_again(store, s3):
    store.write_once("a", b"evidence")
    s3.asked.clear()
    assert not store.write_once("a", b"evidence")
    assert s3.sent() == []


def test_other_bytes_are_refused_and_what_is_there_stays(store):
    store.write_once("a", b"evidence")
    with pytest.raises(EvidenceError, match="holds bytes other than these"):
        store.write_once("a", b"something else")
    assert store.read("a") == b"evidence"


def test_whoever_writes_in_between_is_not_written_over(store, s3, monkeypatch):
    read = ObjectStore.read

    def late(self, key):
        found = read(self, key)
        if found is None:
            s3.client.put_object(Bucket=self.bucket, Key=f"lethe/{key}", Body=b"theirs")
        return found

    monkeypatch.setattr(ObjectStore, "read", late)
    with pytest.raises(EvidenceError):
        store.write_once("a", b"mine")
    assert s3.objects(store.bucket) == {"lethe/a": b"theirs"}


def test_without_an_object_there_is_nothing_to_read(store):
    assert store.read("nothing") is None


@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_a_store_that_is_busy_for_a_while_recovers_by_itself(store, s3, method):
    s3.refuse(2, method)
    assert store.write_once("a", b"evidence")
    assert s3.refusals == 0
    assert store.read("a") == b"evidence"


def test_a_store_that_is_away_for_a_while_recovers_by_itself(store, s3):
    store.write_once("a", b"evidence")
    s3.stop()
    back = threading.Thread(target=lambda: (time.sleep(0.5), s3.start()))
    back.start()
    try:
        assert store.read("a") == b"evidence"
    finally:
        back.join()


def test_a_store_that_stays_busy_is_an_error_that_may_pass(store, s3, monkeypatch):
    monkeypatch.setattr("tasks.checkout.patience.TRIES", 2)
    s3.refuse(2)
    with pytest.raises(UnavailableError, match="answered ServiceUnavailable: no; the same may succeed later"):
        store.require()


def test_a_store_that_does_not_answer_is_an_error_that_may_pass(monkeypatch):
    monkeypatch.setattr("tasks.checkout.patience.TRIES", 1)
    with pytest.raises(UnavailableError, match="does not answer"):
        ObjectStore("bucket", endpoint="http://127.0.0.1:9").require()


def test_a_bucket_that_is_not_there_is_named(s3):
    with pytest.raises(SetupError, match=r"s3://no-such-bucket answered NoSuchBucket.*LETHE_S3_BUCKET"):
        ObjectStore("no-such-bucket", endpoint=s3.endpoint).require()


def test_a_name_that_no_bucket_can_have_is_refused(s3):
    with pytest.raises(SetupError, match="Invalid bucket name"):
        ObjectStore("no bucket", endpoint=s3.endpoint).require()


def test_wrong_credentials_are_an_error_without_a_secret_in_it(store, s3):
    s3.refuse(1, status="403 Forbidden", code="SignatureDoesNotMatch")
    with pytest.raises(SetupError, match="answered SignatureDoesNotMatch") as refused:
        store.require()
    assert not any(secret in str(refused.value) for secret in SECRETS.values())


def test_missing_credentials_are_an_error(store, monkeypatch):
    for name in SECRETS:
        monkeypatch.delenv(name)
    with pytest.raises(SetupError, match="Unable to locate credentials"):
        store.require()


def test_days_to_retain_lock_each_object(s3, locked):
    store = ObjectStore(locked, endpoint=s3.endpoint, retain_days=30)
    store.require()
    store.write_once("a", b"evidence")
    assert store.locked_until("a").endswith("Z (GOVERNANCE)")
    version = s3.client.head_object(Bucket=locked, Key="a")["VersionId"]
    with pytest.raises(s3.client.exceptions.ClientError, match="AccessDenied"):
        s3.client.delete_object(Bucket=locked, Key="a", VersionId=version)


def test_a_rule_of_the_bucket_locks_by_itself_and_gives_the_mode(s3, locked):
    rule = {"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": 5}}}
    s3.client.put_object_lock_configuration(Bucket=locked, ObjectLockConfiguration=rule)
    by_rule, longer = (ObjectStore(locked, endpoint=s3.endpoint, retain_days=days) for days in (None, 90))
    by_rule.write_once("a", b"evidence")
    longer.write_once("b", b"evidence")
    first, second = by_rule.locked_until("a"), longer.locked_until("b")
    assert first.endswith("(COMPLIANCE)")
    assert second.endswith("(COMPLIANCE)")
    assert first < second


def test_days_to_retain_in_a_bucket_without_object_lock_are_refused_at_once(s3, bucket):
    with pytest.raises(SetupError, match="unset LETHE_S3_RETAIN_DAYS"):
        ObjectStore(bucket, endpoint=s3.endpoint, retain_days=30).require()


def test_an_object_without_a_lock_says_so(store):
    store.write_once("a", b"evidence")
    assert store.locked_until("a") is None


def test_without_a_bucket_there_is_no_store(monkeypatch):
    monkeypatch.setenv("LETHE_S3_ENDPOINT", "not even looked at")
    assert find_store() is None


def test_the_environment_says_where_the_store_is(monkeypatch):
    settings = {"BUCKET": "b", "PREFIX": "/a/b/", "ENDPOINT": "https://s3.example", "RETAIN_DAYS": "7"}
    for name, value in settings.items():
        monkeypatch.setenv(f"LETHE_S3_{name}", value)
    assert find_store() == ObjectStore("b", prefix="a/b/", endpoint="https://s3.example", retain_days=7)
    assert find_store().address("c") == "s3://b/a/b/c"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ENDPOINT", "s3.example"),
        ("ENDPOINT", "https://user:hush@s3.example"),
        ("ENDPOINT", "https://[hush"),
        ("RETAIN_DAYS", "hush"),
        ("RETAIN_DAYS", "0"),
    ],
)
def test_a_setting_that_cannot_be_is_refused_by_name_without_its_value(monkeypatch, name, value):
    monkeypatch.setenv("LETHE_S3_BUCKET", "b")
    monkeypatch.setenv(f"LETHE_S3_{name}", value)
    with pytest.raises(ConfigurationError, match=f"LETHE_S3_{name}") as refused:
        find_store()
    assert "hush" not in str(refused.value)


def test_without_boto3_it_says_what_to_install(monkeypatch):
    monkeypatch.setenv("LETHE_S3_BUCKET", "b")
    monkeypatch.setattr("tasks.storage.object_store.find_spec", lambda _name: None)
    with pytest.raises(SetupError, match="lethe-unlearning\\[s3\\]"):
        find_store()
