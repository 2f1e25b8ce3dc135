"""One deletion, one commit, in real git and DVC repositories: nothing twice, nothing by force.

Each of these must turn red: a request in git; a second commit after a crash; a commit that is pushed before
its data; a push that writes over somebody else's.
"""

import os
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
from templates import dvc_repository
from world import ROOT, content, run

from tasks.checkout.checkout import Checkout
from tasks.checkout.files import write_record
from tasks.lifecycle import publishing
from tasks.lifecycle.publishing import TRAILER, publish
from tasks.storage.versioning import pin
from unlearn_core.audit.grouping import make_group
from unlearn_core.errors import PipelineError, SetupError, UnavailableError
from unlearn_core.records.deletion import Outcome
from unlearn_core.records.request import DeletionRequest
from unlearn_core.records.scope import ClassScope

pytestmark = pytest.mark.filterwarnings("ignore:_NoneStep.value will soon raise:DeprecationWarning")

BRANCH = "deletions"
STAGES = """
stages:
  split:
    cmd: cp requests/${request}.json data/split
    params: [request]
    deps:
    - requests/${request}.json
    outs: [data/split]
  certify:
    cmd: "true"
    deps: [data/split]
    outs: [reports/outcome.json]
"""


def asked(request_id):
    return DeletionRequest(id=request_id, scope=ClassScope(classes=("3",)))


@dataclass(frozen=True)
class Worker:
    """A worker's clone, and the bare repository that it pushes to."""

    root: Path
    origin: Path

    @property
    def checkout(self):
        return Checkout(self.root)

    def git(self, *arguments):
        done = subprocess.run(["git", *arguments], cwd=self.root, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def serve(self, request_id):
        """Leave what a served request leaves."""
        path = self.checkout.request(request_id)
        if not path.exists():
            write_record(path, asked(request_id))
        (self.root / "params.yaml").write_text(f"request: {request_id}\n")
        self.checkout.split.parent.mkdir(exist_ok=True)
        shutil.copy(path, self.checkout.split)
        digest = content(request_id)
        fields = ("deletion", "data", "retained", "parent", "model", "policy")
        outcome = Outcome(
            **dict.fromkeys(fields, digest),
            request=request_id,
            method="svd",
            verdict="passes",
            level="E1",
            note=None,
        )
        self.checkout.outcome.parent.mkdir(exist_ok=True)
        write_record(self.checkout.outcome, outcome)
        for stage in ("split", "certify"):
            pin(self.root, stage)

    def publish(self, request_id="r-1"):
        return publish(self.checkout, request_id, branch=BRANCH)

    def published(self, what="%s"):
        """Return the subjects on the branch of origin, or something else of each commit, the newest first."""
        log = ["git", "-C", self.origin, "log", f"--format={what}", BRANCH]
        done = subprocess.run(log, capture_output=True, text=True, check=True)
        return [line for line in done.stdout.splitlines() if line]

    def published_requests(self):
        """Return the ids of the requests that the commits on the branch of origin are about."""
        return self.published(f"%(trailers:key={TRAILER},valueonly)")


@pytest.fixture(scope="module")
def start(tmp_path_factory):
    """A folder with what workers begin with: a repository, and a clone of it that has served a request."""
    folder = tmp_path_factory.mktemp("start")
    first, origin, root = (folder / name for name in ("first", "origin.git", "worker"))
    dvc_repository(first)
    shutil.copy(ROOT / ".gitignore", first)
    (first / "dvc.yaml").write_text(STAGES)
    (first / "params.yaml").write_text("request: demo\n")
    (first / "requests").mkdir()
    write_record(first / "requests" / "demo.json", asked("demo"))
    done = run(first, "dvc", "remote", "add", "--default", "own", "../remote")
    assert done.returncode == 0, done.stderr
    who = ("-c", "user.name=nobody", "-c", "user.email=nobody@example.invalid")
    subprocess.run(["git", *who, "add", "--all"], cwd=first, check=True)
    subprocess.run(["git", *who, "commit", "--quiet", "--message", "Start"], cwd=first, check=True)
    subprocess.run(["git", "clone", "--quiet", "--bare", str(first), str(origin)], check=True)
    subprocess.run(["git", "clone", "--quiet", str(origin), str(root)], check=True)
    Worker(root, origin).serve("r-1")
    return folder


@pytest.fixture
def worker(start, tmp_path):
    folder = shutil.copytree(start, tmp_path / "start")
    made = Worker(folder / "worker", folder / "origin.git")
    made.git("remote", "set-url", "origin", str(made.origin))
    return made


def another(worker, folder):
    """Clone what is published."""
    command = ["git", "clone", "--quiet", "--branch", BRANCH, str(worker.origin), str(folder)]
    subprocess.run(command, check=True)
    return Worker(folder, worker.origin)


def test_a_deletion_is_one_commit_that_names_all_it_needs(worker):
    commit = worker.publish()
    assert worker.published() == ["Delete r-1: svd behaves", "Start"]
    changed = worker.git("show", "--name-only", "--format=", commit).split()
    assert changed == ["dvc.lock", "params.yaml", "requests/r-1.json.dvc"]
    assert worker.git("status", "--porcelain") == ""
    assert "up to date" in run(worker.root, "dvc", "status").stdout
    second = another(worker, worker.root.parent / "second").root
    done = run(second, "dvc", "pull")
    assert done.returncode == 0, done.stderr
    assert (second / "requests" / "r-1.json").read_bytes() == asked("r-1").canonical()
    assert "up to date" in run(second, "dvc", "status").stdout


def test_a_group_is_one_commit_by_which_each_of_its_requests_is_published(worker):
    group = make_group([asked("r-2"), asked("r-3")])
    for one in (*group.singles, group):
        write_record(worker.checkout.request(one.id), one)
    worker.serve(group.id)
    commit = worker.publish(group.id)
    assert worker.published()[0] == f"Delete {group.id}: svd behaves"
    changed = worker.git("show", "--name-only", "--format=", commit, "--", "requests").split()
    assert changed == sorted(f"requests/{one.id}.json.dvc" for one in (*group.singles, group))
    assert worker.git("status", "--porcelain") == ""
    assert worker.published_requests() == [group.id, "r-2", "r-3"]


def test_publishing_twice_changes_nothing(worker):
    assert worker.publish() == worker.publish()
    assert len(worker.published()) == 2


def test_what_was_published_is_still_so_where_the_next_deletion_starts(worker):
    commit = worker.publish()
    (worker.root / "params.yaml").write_text("request: r-1\nparent: r-1's model\n")
    assert worker.publish() == commit
    assert worker.published() == ["Delete r-1: svd behaves", "Start"]
    assert worker.git("status", "--porcelain") == "M params.yaml"


@pytest.mark.parametrize(
    "step", ["_track_request", "configure_remote", "push_data", "_commit", "push_branch"]
)
@pytest.mark.parametrize("when", ["before", "after"])
def test_what_was_cut_off_goes_on_with_the_same_call(worker, monkeypatch, step, when):
    does = getattr(publishing, step)

    def cut(*arguments):
        if when == "after":
            does(*arguments)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(publishing, step, cut)
        with pytest.raises(KeyboardInterrupt):
            worker.publish()
    worker.publish()
    assert worker.published() == ["Delete r-1: svd behaves", "Start"]
    assert worker.git("status", "--porcelain") == ""


def test_nothing_is_committed_whose_data_is_not_in_the_remote(worker, monkeypatch):
    def away(_layout):
        raise UnavailableError("away")

    monkeypatch.setattr(publishing, "push_data", away)
    before = worker.git("rev-parse", "HEAD")
    with pytest.raises(UnavailableError):
        worker.publish()
    assert worker.git("rev-parse", "HEAD") == before


def test_one_request_after_the_other_is_one_commit_each(worker):
    worker.publish()
    worker.serve("r-2")
    worker.publish("r-2")
    assert worker.published() == ["Delete r-2: svd behaves", "Delete r-1: svd behaves", "Start"]
    assert worker.published_requests() == ["r-2", "r-1"]


def test_a_request_that_git_holds_stays_in_git(worker):
    worker.serve("demo")
    worker.publish("demo")
    assert worker.git("ls-files", "requests") == "requests/demo.json"


def test_without_an_origin_the_commit_stays_here(worker):
    worker.git("remote", "remove", "origin")
    commit = worker.publish()
    assert worker.git("log", "-1", "--format=%H %s") == f"{commit} Delete r-1: svd behaves"


def test_what_else_was_changed_is_not_committed(worker):
    (worker.root / "dvc.yaml").write_text(STAGES + "# a note\n")
    (worker.root / "notes").write_text("mine")
    worker.git("add", "notes")
    worker.publish()
    assert worker.git("status", "--porcelain").split("\n") == ["M dvc.yaml", "A  notes"]


def test_the_program_commits_or_whoever_acts_by_name(worker, monkeypatch):
    commit = worker.publish()
    assert worker.git("show", "-s", "--format=%an <%ae> %cn", commit) == "Lethe <lethe@localhost> Lethe"
    monkeypatch.setenv("LETHE_ACTOR", "worker <3>\n")
    worker.serve("r-2")
    commit = worker.publish("r-2")
    assert worker.git("show", "-s", "--format=%an <%ae>", commit) == "worker 3 <lethe@localhost>"


def test_what_somebody_else_pushed_is_not_written_over(worker):
    worker.publish()
    second = another(worker, worker.root.parent / "second")
    assert run(second.root, "dvc", "pull").returncode == 0
    second.serve("r-9")
    second.publish("r-9")
    worker.serve("r-2")
    with pytest.raises(PipelineError, match="somebody else pushed"):
        worker.publish("r-2")
    assert worker.published()[0] == "Delete r-9: svd behaves"


def test_an_origin_that_is_not_there_is_told_without_its_password(worker):
    worker.git("remote", "set-url", "origin", "https://user:hush@127.0.0.1:9/project.git")
    with pytest.raises(UnavailableError, match="git push") as told:
        worker.publish()
    assert "hush" not in str(told.value)
    worker.git("remote", "set-url", "origin", "/nowhere/project.git")
    with pytest.raises(SetupError, match="check its address"):
        worker.publish()


def test_an_origin_that_refuses_is_told(worker):
    hook = worker.origin / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\necho not today\nexit 1\n")
    hook.chmod(0o755)
    with pytest.raises(SetupError, match=r"remote rejected.*pre-receive hook declined"):
        worker.publish()


def test_another_deletion_than_the_checkouts_is_refused(worker):
    with pytest.raises(PipelineError, match="holds the deletion of 'r-1', expected 'r-2'"):
        worker.publish("r-2")
    assert len(worker.git("log", "--format=%h").split()) == 1


def test_a_deletion_that_is_not_finished_is_refused(worker):
    worker.checkout.split.write_text("changed")
    with pytest.raises(PipelineError, match="not all of 'r-1' is pinned"):
        worker.publish()
    shutil.rmtree(worker.checkout.reports)
    with pytest.raises(PipelineError, match="nothing was released"):
        worker.publish()
    assert len(worker.git("log", "--format=%h").split()) == 1


def test_where_git_ignores_the_pins_of_requests_it_says_which_line_is_missing(worker):
    path = worker.root / ".gitignore"
    path.write_text(path.read_text().replace("!/requests/*.dvc\n", ""))
    with pytest.raises(SetupError, match=r"add the line `!/requests/\*\.dvc`"):
        worker.publish()


def test_the_lock_of_a_git_that_was_killed_is_removed_and_a_fresh_one_is_waited_for(worker):
    lock = worker.root / ".git" / "index.lock"
    lock.touch()
    with pytest.raises(UnavailableError, match="another git is running"):
        worker.publish()
    past = time.time() - 2 * publishing.STALE_S
    os.utime(lock, (past, past))
    worker.publish()
    assert len(worker.published()) == 2
