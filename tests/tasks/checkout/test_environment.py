"""The world around a run: where the checkout is, what state it is in, what is silent."""

import os
import re
import subprocess
import sys

import pytest

from tasks.checkout import environment
from unlearn_core.errors import SetupError
from unlearn_core.records.base import Record, UtcTime


class Clock(Record):
    at: UtcTime


@pytest.fixture
def repository(tmp_path):
    """A git repository with one commit of code, settings and lock."""
    git(tmp_path, "init", "--quiet")
    for name in ("code.py", "params.yaml", "dvc.yaml", "dvc.lock"):
        (tmp_path / name).write_text("1")
    git(tmp_path, "add", "--all")
    git(tmp_path, "commit", "--quiet", "--message", "Start")
    return tmp_path


def git(folder, *arguments):
    person = ["-c", "user.name=nobody", "-c", "user.email=nobody@example.invalid"]
    done = subprocess.run(
        ["git", *person, *arguments], cwd=folder, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def test_time_is_utc_to_the_second():
    assert Clock(at=environment.now())


def test_the_checkout_is_found_from_within(repository):
    inner = repository / "a" / "b"
    inner.mkdir(parents=True)
    assert environment.require_checkout(inner) == repository.resolve()


def test_outside_of_a_checkout_it_says_what_to_do(tmp_path):
    with pytest.raises(
        SetupError,
        match=f"{tmp_path} is not in a Lethe project: it is not in a git checkout.*run `lethe init`",
    ):
        environment.require_checkout(tmp_path)


def test_a_folder_that_does_not_exist_is_no_checkout(tmp_path):
    with pytest.raises(SetupError):
        environment.require_checkout(tmp_path / "nowhere")


def test_a_tree_that_git_cannot_judge_is_dirty(repository):
    (repository / ".git" / "index").write_bytes(b"no index")
    assert environment.git_is_dirty(repository)


def test_the_commit_is_named_in_full(repository):
    assert environment.git_commit(repository) == git(repository, "rev-parse", "HEAD")


def test_before_the_first_commit_there_is_none(tmp_path):
    git(tmp_path, "init", "--quiet")
    assert environment.git_commit(tmp_path) is None


@pytest.mark.parametrize(
    ("name", "dirty"),
    [("code.py", True), ("params.yaml", False), ("dvc.lock", False), ("untracked.txt", False)],
)
def test_a_tree_is_dirty_when_tracked_code_changed(repository, name, dirty):
    assert not environment.git_is_dirty(repository)
    (repository / name).write_text("2")
    assert environment.git_is_dirty(repository) is dirty


def test_a_staged_change_is_dirty_too(repository):
    (repository / "code.py").write_text("2")
    git(repository, "add", "code.py")
    assert environment.git_is_dirty(repository)


def test_versions_are_told_of_all_that_results_depend_on():
    found = environment.versions()
    assert {"python", "torch", "numpy", "scikit-learn", "lethe-unlearning"} <= found.keys()
    assert all(re.match(r"\d+\.\d+", version) for version in found.values())


def test_the_platform_names_no_machine():
    assert os.uname().nodename not in environment.platform_name()


def test_pinned_requirements_have_a_digest_where_there_are_any(tmp_path):
    assert environment.constraints_digest(tmp_path) is None
    (tmp_path / "constraints.txt").write_text("torch==2\n")
    assert str(environment.constraints_digest(tmp_path)).startswith("sha256:")


def test_a_users_own_setting_is_kept():
    code = (
        "import os; from tasks.checkout.environment import configure_libraries as configure; configure(); "
        "print(os.environ['DO_NOT_TRACK'], os.environ['GX_ANALYTICS_ENABLED'])"
    )
    given = {name: value for name, value in os.environ.items() if name not in environment.LIBRARY_SETTINGS}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**given, "DO_NOT_TRACK": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["1", "false"]
