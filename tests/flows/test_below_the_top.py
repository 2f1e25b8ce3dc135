"""A project below the top of a git repository: pinned, published and replayed as at the top, and only it.

Each of these must turn red: a path that is taken from git's top; a commit that takes somebody else's changes.
"""

import json

import pytest
from sequence import of_class, prepare, serve
from world import NOISE, commit, files_of, lethe, make_checkout, run

from tasks.checkout.checkout import Checkout
from tasks.checkout.git import run_git
from tasks.lifecycle.publishing import publish
from unlearn_core.audit.envelope import decode_envelope, read_statement

pytestmark = [*NOISE, pytest.mark.long]

OURS = "raise ImportError('not Lethe')\n"


@pytest.fixture(scope="module")
def company(own_folders, tmp_path_factory):
    """A repository of somebody's own, with a project in it in which one request was served and published."""
    top = tmp_path_factory.mktemp("company")
    run_git(top, "init", "--quiet")
    (top / "tasks.py").write_text(OURS)
    (top / "params.yaml").write_text("ours: 1\n")
    (top / "notes.txt").write_text("1")
    commit(top, "Ours")
    root = make_checkout(top / "models" / "digits")
    prepare(root)
    (top / "notes.txt").write_text("2")
    serve(root, "r-1", of_class("3"))
    publish(Checkout(root), "r-1", branch="deletions")
    return top


@pytest.fixture
def root(company):
    return company / "models" / "digits"


def test_all_of_it_is_pinned(root):
    assert "up to date" in run(root, "dvc", "status").stdout


def test_its_commit_takes_nothing_else_and_others_changes_are_not_its_own(company, root):
    changed = run_git(company, "show", "--name-only", "--format=%s", "HEAD").split("\n")
    assert changed[0] == "Delete r-1: svd behaves"
    assert {path.split("/")[:2] == ["models", "digits"] for path in changed[1:] if path} == {True}
    assert run_git(company, "status", "--porcelain") == " M notes.txt"
    payload = decode_envelope(Checkout(root).certificate("r-1").read_bytes()).payload
    assert read_statement(payload).predicate.provenance.dirty is False


def test_it_is_replayed_from_its_own_folder_of_the_commit(root):
    before = {name for name in files_of(root) if "/.dvc/" not in name}
    code, out, err = lethe(root, "verify", "--replay", str(Checkout(root).certificate("r-1")), "--json")
    assert code == 0, out + err
    assert json.loads(out)["equal"]
    assert {name for name in files_of(root) if "/.dvc/" not in name} == before
