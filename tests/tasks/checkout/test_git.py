"""A repository that is not reached: what is wrong for good, and what may pass, told without passwords."""

import os

import pytest

from tasks.checkout.git import reach_git
from unlearn_core.errors import SetupError, UnavailableError


@pytest.mark.parametrize(
    ("address", "error"),
    [
        ("/nowhere/project.git", SetupError),
        ("https://user:hush@127.0.0.1:1/project.git", UnavailableError),
        ("git://127.0.0.1:1/project.git", UnavailableError),
    ],
)
def test_a_repository_that_is_not_there_is_wrong_and_a_server_that_is_away_may_come_back(
    tmp_path, address, error
):
    with pytest.raises(error, match="git ls-remote: ") as told:
        reach_git(tmp_path, "ls-remote", address)
    assert "hush" not in str(told.value)


@pytest.mark.parametrize(
    ("said", "error"),
    [
        ("ssh: connect to host git.example port 22: Connection refused", UnavailableError),
        ("ssh: Could not resolve hostname git.example: Name or service not known", UnavailableError),
        ("git@git.example: Permission denied (publickey).", SetupError),
        ("Host key verification failed.", SetupError),
    ],
)
def test_ssh_says_itself_what_was_in_its_way(tmp_path, monkeypatch, said, error):
    ssh = tmp_path / "ssh"
    ssh.write_text(f"#!/bin/sh\necho '{said}' >&2\nexit 255\n")
    ssh.chmod(0o755)
    monkeypatch.setitem(os.environ, "GIT_SSH_COMMAND", str(ssh))
    with pytest.raises(error, match="git ls-remote: "):
        reach_git(tmp_path, "ls-remote", "ssh://git.example/project.git")
