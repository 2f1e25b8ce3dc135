"""A worker's clone between deletions: what was committed and could not be pushed is never thrown away.

Each of these must turn red: a commit that is undone because origin was away; a next deletion that starts from
before it, or from one that was only begun.
"""

import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from sequence import of_class, serve
from sequence import prepare as make_parent
from world import NOISE, make_checkout

from tasks.checkout.checkout import Checkout
from tasks.checkout.files import read_record
from tasks.checkout.git import run_git
from tasks.checkout.params import write_params
from tasks.lifecycle.projects import BRANCH, find_project, prepare_project
from tasks.lifecycle.publishing import publish
from tasks.lifecycle.standing import find_served
from unlearn_core.errors import UnavailableError
from unlearn_core.records.deletion import Outcome

pytestmark = [*NOISE, pytest.mark.long]

FAILS_ONCE = '#!/bin/sh\nrm "$0"\nexit 1\n'
"""A hook of git's that lets one push fail, as it does where origin is away for a moment."""


@dataclass(frozen=True)
class Worked:
    """What a worker has done while origin was away.

    Attributes:
        origin: The model's repository in the end, and ``pushed_meanwhile`` its branches before that.
        committed: The first deletion's commit, and ``kept`` what was checked out when it was taken up again.
        served: What the request counted as then.
        first: What came of it, and ``second`` of the next one.
    """

    origin: Path
    pushed_meanwhile: str
    committed: str
    kept: str
    served: object
    first: Outcome
    second: Outcome


def begin(folder, request_id):
    """Make the worker's clone ready for a request."""
    return prepare_project(find_project(folder, "digits"), request_id)


def delete(checkout: Checkout, request_id, name):
    make_parent(checkout.root)
    serve(checkout.root, request_id, of_class(name))
    return read_record(checkout.outcome, Outcome)


@pytest.fixture(scope="module")
def worked(own_folders, tmp_path_factory):
    folder = tmp_path_factory.mktemp("projects")
    origin = folder / "digits.git"
    start = make_checkout(folder / "start")
    subprocess.run(["git", "clone", "--quiet", "--bare", str(start), str(origin)], check=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LETHE_PROJECTS", str(folder / "{model}.git"))
        patch.setenv("LETHE_WORK", str(folder / "work"))
        checkout = begin(folder, "r-1")
        first = delete(checkout, "r-1", "3")
        hook = checkout.root / ".git/hooks/pre-push"
        hook.write_text(FAILS_ONCE)
        hook.chmod(0o755)
        with pytest.raises(UnavailableError):
            publish(checkout, "r-1", branch=BRANCH)
        committed, pushed = (
            run_git(checkout.root, "rev-parse", "HEAD"),
            run_git(origin, "--git-dir=.", "branch", "--list"),
        )
        begin(folder, "r-1")
        kept, served = run_git(checkout.root, "rev-parse", "HEAD"), find_served(checkout, "r-1")
        # Another request was begun on top of it, and given up.
        write_params(checkout.root, {"request": "r-9"})
        begin(folder, "r-2")
        second = delete(checkout, "r-2", "5")
        publish(checkout, "r-2", branch=BRANCH)
    return Worked(origin, pushed, committed, kept, served, first, second)


def test_a_commit_that_could_not_be_pushed_is_kept_and_its_request_is_served(worked):
    assert BRANCH not in worked.pushed_meanwhile
    assert worked.kept == worked.committed
    assert [one.outcome for one in worked.served] == [worked.first]


def test_the_next_deletion_goes_on_from_it(worked):
    assert worked.second.parent == worked.first.model
    assert worked.second.data == worked.first.retained


def test_it_is_pushed_with_the_next_one(worked):
    log = run_git(worked.origin, "--git-dir=.", "log", "--format=%s", BRANCH)
    assert log.splitlines() == ["Delete r-2: svd behaves", "Delete r-1: svd behaves", "Start"]
    assert run_git(worked.origin, "--git-dir=.", "rev-parse", f"{BRANCH}~1") == worked.committed
