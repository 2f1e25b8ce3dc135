"""git, as the program that everybody has: one call, and what it said if it failed."""

import os
import re
import subprocess
from pathlib import Path

from unlearn_core.errors import PipelineError, SetupError, UnavailableError

_DENIED = ("denied", "authentication", "could not read", "does not appear to be a git repository")


def run_git(root: Path, *arguments: str, environment: dict[str, str] | None = None) -> str:
    """Run git in a folder.

    Args:
        root: The folder.
        arguments: Its command line.
        environment: Variables beside the process's own.

    Returns:
        What it printed, without the last line's end.

    Raises:
        PipelineError: If it failed; its own message is in it, without the passwords of addresses.
    """
    done = _run(root, *arguments, environment=environment)
    if done.returncode != 0:
        raise PipelineError(f"git {arguments[0]}: {_said(done)}")
    return done.stdout.rstrip("\n")


def ask_git(root: Path, *arguments: str) -> str | None:
    """Run git in a folder and return what it printed, or None if its answer is no."""
    done = _run(root, *arguments)
    return done.stdout.rstrip("\n") if done.returncode == 0 else None


def push_branch(root: Path, branch: str) -> None:
    """Push what is checked out to a branch of ``origin``; nothing there is ever written over.

    Args:
        root: The checkout.
        branch: The branch there; made if it is not there.

    Raises:
        PipelineError: If the branch holds commits that the checkout does not have.
        SetupError: If there is no such repository, or nobody may push to it as this user.
        UnavailableError: If it does not answer.
    """
    done = _run(root, "push", "--porcelain", "origin", f"HEAD:refs/heads/{branch}")
    if done.returncode == 0:
        return
    if re.search(r"^!.*\[rejected\]", done.stdout, re.MULTILINE):
        raise PipelineError(
            f"the branch {branch!r} of origin holds commits that this checkout does not have: somebody else "
            "pushed, and nothing of theirs was written over. Take a fresh clone of the branch and serve the "
            "request again there"
        )
    said = _said(done)
    if "[remote rejected]" in done.stdout or any(word in said.lower() for word in _DENIED):
        raise SetupError(f"git push to {branch!r} of origin: {said}; check its address and who may push")
    raise UnavailableError(f"git push to {branch!r} of origin: {said}; the same may succeed later")


def _run(
    root: Path, *arguments: str, environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    own = {"LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0", **(environment or {})}
    try:
        return subprocess.run(
            ["git", "-C", str(root), *arguments],
            env={**os.environ, **own},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
    except FileNotFoundError as error:
        raise SetupError("git is not installed; Lethe pins every deletion with it") from error


def _said(done: subprocess.CompletedProcess[str]) -> str:
    """Return git's own words on one line; an address may carry a password."""
    lines = [
        line for line in (done.stdout + done.stderr).splitlines() if line.startswith(("!", "fatal", "error"))
    ]
    words = " ".join(lines) or (done.stderr or done.stdout).strip().replace("\n", " ")
    return re.sub(r"://[^/@\s]+@", "://", words)[:500]
