"""DVC's remote on real S3 over HTTP: what goes there comes back as it was, and failures say what to do.

Each of these must turn red: a secret in a configuration; a remote that is believed; a transfer that failed
and was only logged; a 503 that ends a run for good.
"""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from s3 import SECRETS
from templates import dvc_repository
from world import files_of, run

from tasks.checkout.checkout import Checkout
from tasks.storage.remote import configure_remote, pull_data, push_data, shared_settings
from tasks.storage.versioning import track
from unlearn_core.errors import PipelineError, SetupError, UnavailableError

# DVC's own trees of paths.
pytestmark = pytest.mark.filterwarnings("ignore:_NoneStep.value will soon raise:DeprecationWarning")


@dataclass(frozen=True)
class Project:
    """A checkout with one folder under DVC."""

    root: Path

    @property
    def checkout(self):
        return Checkout(self.root)

    @property
    def folder(self):
        return self.root / "models" / "generations" / "abc"

    def forget(self):
        """Lose the data, as a fresh clone has it."""
        shutil.rmtree(self.folder)
        shutil.rmtree(self.root / ".dvc" / "cache")


@pytest.fixture
def project(tmp_path):
    made = Project(dvc_repository(tmp_path / "project"))
    made.folder.mkdir(parents=True)
    for name in ("weights", "card"):
        (made.folder / name).write_text(f"{name} of {tmp_path}")
    shutil.copy(Path(__file__).parents[3] / ".gitignore", made.root)
    track(made.root, made.folder)
    return made


@pytest.fixture
def bucket(bucket, monkeypatch):
    """The bucket of data, which the environment names."""
    monkeypatch.setenv("LETHE_S3_DATA_BUCKET", bucket)
    monkeypatch.setenv("LETHE_S3_PREFIX", "acme/lethe")
    monkeypatch.setattr("tasks.checkout.patience.TRIES", 2)
    return bucket


@pytest.fixture
def pushed(project, bucket):
    configure_remote(project.checkout)
    assert push_data(project.checkout) == 3
    return project


def test_data_is_sent_once_and_comes_back(pushed, s3, bucket):
    before = files_of(pushed.folder)
    assert push_data(pushed.checkout) == 0
    assert {key.split("/dvc/")[0] for key in s3.objects(bucket)} == {"acme/lethe"}
    pushed.forget()
    pull_data(pushed.checkout)
    assert files_of(pushed.folder) == before


def test_what_is_at_hand_is_not_fetched(pushed, s3):
    shutil.rmtree(pushed.folder)
    s3.asked.clear()
    pull_data(pushed.checkout, "models/generations/abc")
    assert pushed.folder.is_dir()
    assert s3.asked == []


def test_the_configuration_holds_no_secret_and_stays_out_of_git(pushed):
    written = b"".join(files_of(pushed.root / ".dvc").values())
    assert [secret for secret in SECRETS.values() if secret.encode() in written] == []
    done = subprocess.run(["git", "check-ignore", ".dvc/config.local"], cwd=pushed.root, check=False)
    assert done.returncode == 0


def test_dvcs_own_command_line_finds_the_remote(pushed):
    pushed.forget()
    done = run(pushed.root, "dvc", "pull")
    assert done.returncode == 0, done.stderr
    assert pushed.folder.is_dir()


def test_configuring_twice_changes_nothing(pushed):
    path = pushed.root / ".dvc" / "config.local"
    before = path.stat().st_mtime_ns
    assert configure_remote(pushed.checkout) == "lethe"
    assert path.stat().st_mtime_ns == before


def test_without_a_bucket_of_its_own_data_goes_where_evidence_goes(project, bucket, s3, monkeypatch):
    monkeypatch.setenv("LETHE_S3_BUCKET", bucket)
    monkeypatch.delenv("LETHE_S3_DATA_BUCKET")
    configure_remote(project.checkout)
    assert push_data(project.checkout) == 3
    assert len(s3.objects(bucket)) == 3


def test_the_projects_own_remote_is_used_where_no_bucket_is_configured(pushed, bucket, monkeypatch, tmp_path):
    monkeypatch.delenv("LETHE_S3_DATA_BUCKET")
    done = run(pushed.root, "dvc", "remote", "add", "--default", "own", str(tmp_path / "own"))
    assert done.returncode == 0, done.stderr
    assert configure_remote(pushed.checkout) == "own"
    assert push_data(pushed.checkout) == 3
    pushed.forget()
    pull_data(pushed.checkout)
    assert pushed.folder.is_dir()


def test_without_any_remote_nothing_is_sent(project):
    assert configure_remote(project.checkout) is None
    assert push_data(project.checkout) is None


def test_without_any_remote_what_is_missing_says_what_to_set(project):
    project.forget()
    with pytest.raises(SetupError, match="no remote is configured"):
        pull_data(project.checkout)


@pytest.mark.long
@pytest.mark.parametrize("asking", ["", "PUT"])
def test_a_store_that_stays_busy_is_an_error_that_may_pass(project, bucket, s3, asking, capfd):
    configure_remote(project.checkout)
    s3.refuse(1000, asking)
    with pytest.raises(UnavailableError, match=f"s3://{bucket} answered"):
        push_data(project.checkout)
    s3.refuse(0)
    assert push_data(project.checkout) == 3
    assert "Traceback" not in capfd.readouterr().err


@pytest.mark.long
def test_a_store_that_is_busy_for_a_while_recovers_by_itself(project, bucket, s3, monkeypatch):
    monkeypatch.setattr("tasks.checkout.patience.TRIES", 5)
    configure_remote(project.checkout)
    s3.refuse(3, "PUT")
    assert push_data(project.checkout) == 3
    assert s3.refusals == 0


@pytest.mark.long
def test_fetching_from_a_busy_store_is_an_error_that_may_pass(pushed, s3):
    pushed.forget()
    s3.refuse(1000)
    with pytest.raises(UnavailableError, match="may succeed later"):
        pull_data(pushed.checkout)
    s3.refuse(0)
    pull_data(pushed.checkout)


def test_a_store_that_does_not_answer_is_an_error_that_may_pass(project, bucket, monkeypatch):
    monkeypatch.setenv("LETHE_S3_ENDPOINT", "http://127.0.0.1:9")
    configure_remote(project.checkout)
    with pytest.raises(UnavailableError, match="does not answer"):
        push_data(project.checkout)


@pytest.mark.parametrize("asking", ["", "PUT"])
def test_without_permission_it_says_where_credentials_come_from(project, bucket, s3, asking):
    configure_remote(project.checkout)
    s3.refuse(1000, asking, status="403 Forbidden", code="AccessDenied")
    with pytest.raises(SetupError, match=r"LETHE_S3_DATA_BUCKET.*AWS_ACCESS_KEY_ID") as refused:
        push_data(project.checkout)
    assert not any(secret in str(refused.value) for secret in SECRETS.values())


def test_a_bucket_that_is_not_there_is_named(project, bucket, monkeypatch):
    monkeypatch.setenv("LETHE_S3_DATA_BUCKET", "no-such-bucket")
    configure_remote(project.checkout)
    with pytest.raises(SetupError, match="s3://no-such-bucket answered NoSuchBucket"):
        push_data(project.checkout)


def test_what_is_nowhere_is_not_taken_for_sent(project, bucket):
    configure_remote(project.checkout)
    shutil.rmtree(project.root / ".dvc" / "cache")
    with pytest.raises(PipelineError, match="do not exist neither locally nor on remote"):
        push_data(project.checkout)


@pytest.mark.parametrize("kind", ["directory", "file"])
@pytest.mark.parametrize("deed", ["altered", "removed"])
def test_data_that_was_altered_or_removed_there_is_told(pushed, bucket, s3, kind, deed):
    key = next(one for one in s3.objects(bucket) if one.endswith(".dir") == (kind == "directory"))
    if deed == "altered":
        s3.client.put_object(Bucket=bucket, Key=key, Body=b"[]" if kind == "directory" else b"other")
    else:
        s3.client.delete_object(Bucket=bucket, Key=key)
    pushed.forget()
    with pytest.raises(PipelineError) as told:
        pull_data(pushed.checkout)
    assert "could not transfer" in str(told.value) or "models/generations/abc" in str(told.value)
    assert not pushed.folder.exists()


def test_a_worktree_shares_cache_and_remote(pushed, tmp_path):
    shared = shared_settings(pushed.checkout)
    assert shared["cache"]["dir"] == str(pushed.root / ".dvc" / "cache")
    assert shared["core"] == {"remote": "lethe"}
    assert shared["remote"]["lethe"]["verify"]
