"""git, run as a program: one call, and its message if it failed."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

from tasks.checkout.variables import inherited
from unlearn_core.errors import PipelineError, SetupError, UnavailableError

_AWAY = ("could not resolve", "timed out", "refused", "unreachable", "reset by peer", "closed by remote host")
_WRONG = (
    "denied",
    "authentication",
    "could not read",
    "does not appear to be a git repository",
    "does not exist",
    "not found",
    "returned error: 40",
)


_TRUSTED = ("git", "-c", "safe.bareRepository=explicit", "-c", "core.fsmonitor=false")
"""git, which reads no settings from a bare repository that a clone holds as files, and starts no monitor."""


def run_git(root: Path, *arguments: str, environment: dict[str, str] | None = None) -> str:
    """Run git in a folder.

    Args:
        root: The folder.
        arguments: Its command line.
        environment: Variables beside those of the process.

    Returns:
        What it printed, without the final newline.

    Raises:
        PipelineError: If it failed; carries git's message, without passwords in addresses.
    """
    done = _run(root, *arguments, environment=environment)
    if done.returncode != 0:
        raise PipelineError(f"git {arguments[0]}: {_said(done)}")
    return done.stdout.rstrip("\n")


def ask_git(root: Path, *arguments: str) -> str | None:
    """Run git in a folder and return what it printed, or None if it failed."""
    done = _run(root, *arguments)
    return done.stdout.rstrip("\n") if done.returncode == 0 else None


def git_objects(root: Path) -> Iterator[tuple[str, str, bytes]]:
    """Yield every object of a repository, whether a branch leads to it or not.

    Args:
        root: A folder in it.

    Yields:
        The object's kind, its digest and its content.
    """
    command = [*_TRUSTED, "-C", str(root), "cat-file", "--batch-all-objects", "--batch"]
    with subprocess.Popen(command, env=inherited({}), stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        for line in process.stdout:
            digest, kind, size = line.decode().split()
            yield kind, digest, process.stdout.read(int(size))
            process.stdout.read(1)


def push_branch(root: Path, branch: str) -> None:
    """Push what is checked out to a branch of ``origin``; nothing there is ever overwritten.

    Args:
        root: The checkout.
        branch: The branch there; created if missing.

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
            "pushed, and nothing of theirs was overwritten. Serve the request again in a fresh clone of the "
            "branch"
        )
    if "[remote rejected]" in done.stdout:
        raise SetupError(f"git push to {branch!r} of origin: {_said(done)}; check who may push")
    _refuse_unreached(done, f"push to {branch!r} of origin")


def reach_git(root: Path, *arguments: str) -> None:
    """Run git against a remote repository.

    Args:
        root: The folder.
        arguments: Its command line.

    Raises:
        SetupError: If there is no such repository, or nobody may read it as this user.
        UnavailableError: If it does not answer.
    """
    done = _run(root, *arguments)
    if done.returncode != 0:
        _refuse_unreached(done, arguments[0])


def _refuse_unreached(done: subprocess.CompletedProcess[str], what: str) -> NoReturn:
    """Raise what a failure to reach a repository means: change something, or wait."""
    said, words = _said(done), done.stderr.lower()
    # ssh says "could not read" at the end whatever went wrong.
    if any(word in words for word in _WRONG) and not any(word in words for word in _AWAY):
        raise SetupError(f"git {what}: {said}; check its address, and who may use it")
    raise UnavailableError(f"git {what}: {said}; the same may succeed later")


def _run(
    root: Path, *arguments: str, environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    own = {"LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0", **(environment or {})}
    try:
        return subprocess.run(
            [*_TRUSTED, "-C", str(root), *arguments],
            env=inherited(own),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
    except FileNotFoundError as error:
        raise SetupError("git is not installed; Lethe pins every deletion with it") from error


def _said(done: subprocess.CompletedProcess[str]) -> str:
    """Return git's message on one line; an address may carry a password."""
    said = (done.stdout + done.stderr).splitlines()
    lines = [line for line in said if line.startswith(("!", "fatal", "error", "ssh"))]
    words = " ".join(lines) or (done.stderr or done.stdout).strip().replace("\n", " ")
    return re.sub(r"://[^/@\s]+@", "://", words)[:500]
