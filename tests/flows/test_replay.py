"""A certified deletion run again, in a clone with git's history, DVC's remote, the certificate and the keys.

Each of these must turn red: a replay that compares nothing; one that reads the first clone's folders; a false
certificate that is run; an altered remote that is believed; a clone that is left otherwise than it was.
"""

import base64
import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from s3 import SECRETS
from sequence import of_class, prepare, serve
from world import NOISE, clone, files_of, lethe, make_checkout, run

from flows.stages.pipeline import DELETION, run_due
from tasks.checkout.checkout import Checkout
from tasks.checkout.params import write_params
from tasks.keys.folder import home
from tasks.keys.signing import sign_statement
from tasks.lifecycle.publishing import publish
from tasks.lifecycle.releases import continue_from_champion
from tasks.lifecycle.replaying import _place_request, other_code, refuse_other_params
from tasks.requests.request_file import make_request, submit_request
from tasks.storage.remote import configure_remote
from unlearn_core.audit.envelope import decode_envelope, read_statement
from unlearn_core.audit.grouping import make_group
from unlearn_core.errors import GateError, PipelineError, SetupError, UnavailableError
from unlearn_core.records.base import canonical_json
from unlearn_core.records.certificate import DeletionCertificate, Statement

pytestmark = [*NOISE, pytest.mark.long]

BRANCH, BUCKET = "deletions", "replayed"


@dataclass(frozen=True)
class Published:
    """Two deletions that a worker has published, and what publishing raised while S3 was busy."""

    origin: Path
    worker: Path
    busy: UnavailableError

    def certificate(self, request_id):
        return Checkout(self.worker).certificate(request_id)

    def certified(self, request_id) -> DeletionCertificate:
        return read_statement(decode_envelope(self.certificate(request_id).read_bytes()).payload).predicate


@pytest.fixture(scope="module")
def store(s3):
    """The bucket, in an environment that names it, and DVC asking twice."""
    s3.client.create_bucket(Bucket=BUCKET)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LETHE_S3_DATA_BUCKET", BUCKET)
        patch.setenv("LETHE_S3_PREFIX", "acme")
        patch.setattr("tasks.checkout.patience.TRIES", 2)
        yield s3


@pytest.fixture(scope="module")
def published(own_folders, store, tmp_path_factory):
    folder = tmp_path_factory.mktemp("replay")
    first, origin = make_checkout(folder / "first"), folder / "origin.git"
    subprocess.run(["git", "clone", "--quiet", "--bare", str(first), str(origin)], check=True)
    root = clone(origin, folder / "worker")
    checkout = Checkout(root)
    prepare(root)
    serve(root, "r-1", of_class("3"))
    store.refuse(1000, "PUT")
    with pytest.raises(UnavailableError) as busy:
        publish(checkout, "r-1", branch=BRANCH)
    store.refuse(0)
    publish(checkout, "r-1", branch=BRANCH)
    continue_from_champion(checkout)
    prepare(root)
    serve(root, "r-2", of_class("7"))
    publish(checkout, "r-2", branch=BRANCH)
    return Published(origin, root, busy.value)


@pytest.fixture
def second(published, tmp_path):
    """A fresh clone, with the certificates copied to a folder beside it."""
    for request_id in ("r-1", "r-2"):
        shutil.copy(published.certificate(request_id), tmp_path / f"{request_id}.json")
    return clone(published.origin, tmp_path / "second")


@pytest.fixture
def issue(published, second):
    """Certify something else than r-1's certificate says, with the same key."""

    def issued(*changes):
        text = decode_envelope(published.certificate("r-1").read_bytes()).payload.decode()
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        path = second.parent / "other.json"
        path.write_bytes(sign_statement(Statement.parse(canonical_json(json.loads(text)))))
        return path

    return issued


def replay(root, certificate, *options):
    return lethe(root, "verify", "--replay", str(certificate), *options)


def seen(root):
    """Return all of a clone but for what DVC and git keep for themselves."""
    files = {name: raw for name, raw in files_of(root).items() if f"{root}/.git/" not in name}
    return {
        name: raw
        for name, raw in files.items()
        if not any(own in name for own in ("/.dvc/cache/", "/.dvc/tmp/", "/.lethe/dvc/"))
    }


def worktrees(root):
    done = subprocess.run(["git", "worktree", "list"], cwd=root, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def test_what_could_not_be_pushed_is_pushed_by_the_second_call(published):
    assert "may succeed later" in str(published.busy)
    log = ["git", "-C", published.origin, "log", "--format=%s", BRANCH]
    done = subprocess.run(log, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["Delete r-2: svd behaves", "Delete r-1: svd behaves", "Start"]


def test_a_published_checkout_is_clean(published):
    status = ["git", "status", "--porcelain"]
    done = subprocess.run(status, cwd=published.worker, capture_output=True, text=True, check=True)
    assert done.stdout == ""
    assert "up to date" in run(published.worker, "dvc", "status").stdout


def test_a_second_clone_pulls_all_of_it(published, second):
    subprocess.run(["git", "checkout", "--quiet", BRANCH], cwd=second, check=True)
    configure_remote(Checkout(second))
    done = run(second, "dvc", "pull")
    assert done.returncode == 0, done.stderr
    assert "up to date" in run(second, "dvc", "status").stdout
    there, here = (Checkout(root).unlearned / "model.safetensors" for root in (published.worker, second))
    assert here.read_bytes() == there.read_bytes()


def test_the_same_model_comes_again_and_the_clone_stays_as_it_is(published, second, tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    before = seen(second)
    code, out, err = replay(second, second.parent / "r-1.json", "--json")
    assert code == 0, out + err
    told = json.loads(out)
    assert told["equal"]
    assert told["differences"] == []
    came = {one["what"]: one["came"] for one in told["compared"]}
    certified = published.certified("r-1")
    assert came["unlearned model"] == certified.models.unlearned
    assert came["data retained"] == certified.data.retained
    assert came["second moments"] == certified.moments
    assert came["verdict"] == "behaves, E1"
    assert seen(second) == before
    assert len(worktrees(second)) == 1
    assert list((tmp_path / "temporary").iterdir()) == []


def test_a_deletion_from_the_champion_comes_again_from_the_data_on(published, second):
    code, out, err = replay(second, second.parent / "r-2.json", "--from-data")
    assert code == 0, out + err
    assert f"equal      unlearned model  {published.certified('r-2').models.unlearned}" in out
    assert f"equal      parent           {published.certified('r-1').models.unlearned}" in out
    assert "the same model again" in out
    assert "warning" not in out
    assert [secret for secret in SECRETS.values() if secret in out + err] == []


def test_another_model_than_the_certified_one_is_told_with_what_else_is_other(published, second, issue):
    model = published.certified("r-1").models.unlearned
    other = "sha256:" + "0" * 64
    torch = published.certified("r-1").provenance.versions["torch"]
    changes = [(model.removeprefix("sha256:"), "0" * 64), (f'"torch":"{torch}"', '"torch":"0.1"')]
    code, out, err = replay(second, issue(*changes))
    assert code == 6, out + err
    assert f"DIFFERENT  unlearned model  expected {other}" in out
    assert f"got      {model}" in out
    assert "equal      data retained" in out
    assert f"warning: torch is {torch}, it was 0.1" in out
    assert "NOT the same" in out


def test_where_no_method_is_accepted_any_more_that_is_the_answer(second, monkeypatch):
    def refuse(_root, *, replays):
        assert replays
        raise GateError("none")

    monkeypatch.setattr("flows.replay.climb_ladder", refuse)
    code, out, _ = replay(second, second.parent / "r-1.json")
    assert code == 6
    assert "got      nothing: no method was accepted" in out


def test_a_tampered_certificate_is_refused_before_anything_is_run(second, store):
    path = second.parent / "r-1.json"
    envelope = json.loads(path.read_bytes())
    payload = base64.b64decode(envelope["payload"]).replace(b'"seed":', b'"seed":1', 1)
    path.write_bytes(canonical_json({**envelope, "payload": base64.b64encode(payload).decode()}))
    before = seen(second)
    store.asked.clear()
    code, out, err = replay(second, path)
    assert (code, out) == (6, "")
    assert "lethe: " in err
    assert store.asked == []
    assert seen(second) == before


def test_a_lock_that_is_in_no_commit_is_told(published, second, issue, store):
    store.asked.clear()
    code, out, err = replay(second, issue((published.certified("r-1").lock, "sha256:" + "1" * 64)))
    assert (code, out) == (2, "")
    assert "no commit of this clone has the lock sha256:1111" in err
    assert "git fetch --all" in err
    assert store.asked == []


@pytest.mark.parametrize("deed", ["altered", "removed"])
def test_data_that_is_not_in_the_remote_as_it_was_is_told(published, second, store, deed):
    kept = Checkout(published.worker).generation("models", published.certified("r-1").models.parent)
    weights = (kept / "model.safetensors").read_bytes()
    model = next(key for key, raw in store.objects(BUCKET).items() if raw == weights)
    if deed == "altered":
        store.client.put_object(Bucket=BUCKET, Key=model, Body=weights[:-1] + bytes([weights[-1] ^ 1]))
    else:
        store.client.delete_object(Bucket=BUCKET, Key=model)
    try:
        code, out, err = replay(second, second.parent / "r-1.json")
    finally:
        store.client.put_object(Bucket=BUCKET, Key=model, Body=weights)
    assert (code, out) == (4, "")
    assert "models/parent" in err or "could not transfer all data" in err
    assert len(worktrees(second)) == 1


def test_a_remote_that_is_busy_is_an_error_that_may_pass(second, store):
    store.refuse(1000)
    try:
        code, out, err = replay(second, second.parent / "r-1.json")
    finally:
        store.refuse(0)
    assert (code, out) == (4, "")
    assert "may succeed later" in err


def test_without_a_remote_it_says_what_to_set(second, monkeypatch):
    monkeypatch.delenv("LETHE_S3_DATA_BUCKET")
    code, out, err = replay(second, second.parent / "r-1.json")
    assert (code, out) == (2, "")
    assert "no remote is configured" in err


def test_without_the_pseudonym_key_it_says_so(second, tmp_path, monkeypatch):
    shutil.copytree(home() / "trusted", tmp_path / "keys" / "trusted")
    monkeypatch.setenv("LETHE_HOME", str(tmp_path / "keys"))
    code, out, err = replay(second, second.parent / "r-1.json")
    assert (code, out) == (2, "")
    assert "pseudonym.key" in err


def test_without_a_certificate_there_is_nothing_to_replay(second):
    code, out, err = lethe(second, "verify", "--replay")
    assert (code, out) == (2, "")
    assert "needs a certificate" in err


@pytest.fixture
def tree(published, tmp_path):
    """The published commit of r-2 in a clone of its own."""
    root = clone(published.origin, tmp_path / "tree")
    subprocess.run(["git", "checkout", "--quiet", BRANCH], cwd=root, check=True)
    return Checkout(root)


def test_parameters_that_were_not_committed_with_their_lock_are_refused(tree):
    refuse_other_params(tree.root)
    write_params(tree.root, {"run": {"seed": 7, "threads": 1}})
    with pytest.raises(PipelineError, match=r"differ in run\.seed:"):
        refuse_other_params(tree.root)


def test_code_that_is_another_than_the_deletions_is_named(published, tree):
    shutil.copytree(Checkout(published.worker).code, tree.code)
    assert other_code(tree.root) == []
    listed = tree.code / "unlearn.json"
    digests = json.loads(listed.read_text())
    listed.write_text(json.dumps({**digests, "tasks/computing/unlearning.py": f"sha256:{'0' * 64}"}))
    assert other_code(tree.root) == ["tasks/computing/unlearning.py"]


def test_a_request_that_only_the_clone_has_is_taken_if_it_is_the_one(published, tree):
    path = tree.request("r-1")
    path.with_name("r-1.json.dvc").unlink()
    certified = published.certified("r-1")
    with pytest.raises(SetupError, match="neither the commit nor DVC holds the request"):
        _place_request(tree, tree, certified, None)
    _place_request(Checkout(published.worker), tree, certified, None)
    assert path.read_bytes() == Checkout(published.worker).request("r-1").read_bytes()
    path.write_bytes(path.read_bytes().replace(b'"3"', b'"4"'))
    with pytest.raises(PipelineError, match="use the one that was served"):
        _place_request(tree, tree, certified, None)


def test_a_member_of_a_group_comes_again_from_the_clones_own_cache(own_folders, tmp_path, monkeypatch):
    monkeypatch.delenv("LETHE_S3_DATA_BUCKET", raising=False)
    root = make_checkout(tmp_path / "project")
    checkout = Checkout(root)
    members = [
        make_request(name, of_class(digit), model="digits") for name, digit in (("r-4", "3"), ("r-5", "8"))
    ]
    group = make_group(members)
    prepare(root)
    for one in (*members, group):
        submit_request(checkout, one)
    for name, stage in DELETION.items():
        run_due(Checkout(root), name, stage)
    publish(checkout, group.id, branch=BRANCH)
    write_params(root, {"request": "demo"})
    code, out, err = replay(root, checkout.certificate("r-5"))
    assert code == 0, out + err
    assert out.startswith("request r-5, ")
    assert f"equal      scope            {group.scope_digest}" in out


def test_a_certificate_covers_the_kept_models_that_its_deletion_read(published, second):
    start = Checkout(second).generation("models", published.certified("r-1").models.unlearned)
    name = f"models/generations/{start.name}.dvc"
    assert name in (published.certified("r-2").pins or {})
    assert all(not name.startswith("requests/") for name in published.certified("r-2").pins or {})


def test_a_commit_whose_kept_model_was_exchanged_is_not_run(published, second):
    """The lock stays as it was certified; only what it does not cover is another's."""
    start = Checkout(second).generation("models", published.certified("r-1").models.unlearned)
    subprocess.run(["git", "checkout", "--quiet", BRANCH], cwd=second, check=True)
    pointer = start.with_name(f"{start.name}.dvc")
    pointer.write_text(pointer.read_text() + "desc: another\n")
    git = ["git", "-c", "user.name=n", "-c", "user.email=n@example.invalid"]
    subprocess.run(
        [*git, "commit", "--quiet", "--all", "--amend", "--message", "Exchange"], cwd=second, check=True
    )
    subprocess.run(["git", "remote", "remove", "origin"], cwd=second, check=True)
    code, out, err = replay(second, second.parent / "r-2.json")
    assert (code, out) == (4, "")
    assert f"{pointer.relative_to(second)} of the commit is not what the deletion was certified with" in err


def test_what_another_machine_certified_is_replayed_only_if_told_to(published, second, tmp_path, monkeypatch):
    shutil.copytree(home(), tmp_path / "auditor")
    monkeypatch.setenv("LETHE_HOME", str(tmp_path / "auditor"))
    for name in ("signing.key", "signing.pub"):
        (tmp_path / "auditor" / name).unlink()
    code, out, err = replay(second, second.parent / "r-1.json")
    assert (code, out) == (2, "")
    assert "which is not this machine's. Replaying it would run:" in err
    assert len(worktrees(second)) == 1
    code, out, err = replay(second, second.parent / "r-1.json", "--trust-code")
    assert code == 0, out + err
