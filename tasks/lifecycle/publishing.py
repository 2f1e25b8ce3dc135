"""One deletion, one commit: what a worker publishes once a request is served.

The request itself and its tombstones go under DVC (``requests/ID.json.dvc`` is in git, its content never
is), the data to DVC's remote, and parameters and lock to a branch of ``origin``, in this order: a visible
commit never names anything that cannot be fetched.
"""

import re
import time
from pathlib import Path

from tasks.checkout.checkout import Checkout
from tasks.checkout.files import read_record
from tasks.checkout.git import ask_git, push_branch, run_git
from tasks.checkout.settings import LedgerSettings
from tasks.requests.request_file import read_request
from tasks.storage.remote import configure_remote, push_data
from tasks.storage.versioning import is_current, track
from unlearn_core.errors import PipelineError, SetupError, UnavailableError
from unlearn_core.records.deletion import Outcome

TRAILER = "Lethe-Request"
STALE_S = 60
"""A lock of git's index older than this was left by a killed git: Lethe's take less than a second."""


def publish(checkout: Checkout, request_id: str, *, branch: str) -> str:
    """Push the data of a served request, commit what pins it, and push the commit, each only once.

    Steps that are already done are skipped, so the same call resumes an interrupted one. The caller has sole
    use of the checkout.

    Args:
        checkout: The checkout; its last deletion is the request's.
        request_id: The id of the request, or of the group, whose members are published by the same commit.
        branch: The branch of ``origin``; without an ``origin`` the commit stays local.

    Returns:
        The commit's id.

    Raises:
        SetupError: If git's settings ignore a file, or a bucket or a repository refuses.
        PipelineError: If the checkout holds another or an unfinished deletion, or somebody else pushed.
        UnavailableError: If the remote or ``origin`` does not answer.
    """
    if (done := find_commit(checkout.root, request_id)) is not None:
        # All but the push came before the commit, and the checkout may already start the next deletion.
        _push(checkout.root, branch)
        return done
    outcome = _finished(checkout, request_id)
    served = [request_id, *(one.id for one in read_request(checkout, request_id).members)]
    for one in served:
        _track_request(checkout, one)
    stones = (*(checkout.tombstones(one) for one in served), checkout.other_pictures)
    track(checkout.root, *(path for path in stones if path.is_file()))
    subject = f"Delete {request_id}: {outcome.method} {outcome.in_words}"
    return _send(checkout, "\n".join([subject, "", *(f"{TRAILER}: {one}" for one in served)]), branch)


def publish_training(checkout: Checkout, model: str, *, branch: str) -> str:
    """Push what was trained, commit what pins it, and push the commit.

    Args:
        checkout: The checkout, with no deletion begun since.
        model: The registered model's name.
        branch: As for ``publish``.

    Returns:
        The commit checked out afterwards.

    Raises:
        SetupError: As for ``publish``.
        PipelineError: As for ``publish``.
        UnavailableError: As for ``publish``.
    """
    return _send(checkout, f"Train {model}", branch)


def publish_purge(checkout: Checkout, request_id: str, *, branch: str) -> str:
    """Commit that the data of a request are not pinned any more, and push the commit.

    Args:
        checkout: The checkout, in which the request was purged.
        request_id: The request's id.
        branch: As for ``publish``.

    Returns:
        The commit checked out afterwards.

    Raises:
        SetupError: As for ``publish``.
        PipelineError: As for ``publish``.
        UnavailableError: As for ``publish``.
    """
    return _send(checkout, f"Purge {request_id}", branch)


def find_commit(root: Path, request_id: str) -> str | None:
    """Return the commit that a request was published with, or None."""
    line = f"^{TRAILER}: {re.escape(request_id)}$"
    return ask_git(root, "log", "-1", "--format=%H", "--extended-regexp", f"--grep={line}") or None


def _finished(checkout: Checkout, request_id: str) -> Outcome:
    """Return the request's outcome, if all of it is pinned."""
    if not checkout.outcome.is_file():
        raise PipelineError(f"nothing was released in this checkout; serve {request_id!r} first")
    outcome = read_record(checkout.outcome, Outcome)
    if outcome.request != request_id:
        raise PipelineError(
            f"the checkout holds the deletion of {outcome.request!r}, expected {request_id!r}; publish a "
            "request before the next one begins"
        )
    if not is_current(checkout.root, "dvc.yaml"):
        raise PipelineError(
            f"not all of {request_id!r} is pinned (`dvc status` says what); finish the deletion first"
        )
    return outcome


def _track_request(checkout: Checkout, request_id: str) -> None:
    """Put the request under DVC, unless git holds it, as it does the demonstration's."""
    path = checkout.request(request_id).relative_to(checkout.root)
    if ask_git(checkout.root, "ls-files", "--error-unmatch", "--", str(path)) is not None:
        return
    if ask_git(checkout.root, "check-ignore", "--quiet", "--", f"{path}.dvc") is not None:
        raise SetupError(f"git ignores {path}.dvc; add the line `!/requests/*.dvc` to .gitignore")
    track(checkout.root, checkout.request(request_id))


def _send(checkout: Checkout, message: str, branch: str) -> str:
    """Push the data, commit what pins it, push the commit, and return the commit checked out."""
    _release_index(checkout.root)
    configure_remote(checkout)
    push_data(checkout)
    _commit(checkout.root, message)
    _push(checkout.root, branch)
    return run_git(checkout.root, "rev-parse", "HEAD")


def _push(root: Path, branch: str) -> None:
    """Push what is committed, if there is an ``origin``."""
    if ask_git(root, "remote", "get-url", "origin") is not None:
        push_branch(root, branch)


def _commit(root: Path, message: str) -> None:
    """Commit parameters, lock and ``.dvc`` files; other changes stay uncommitted."""
    known = ("ls-files", "--cached", "--others", "--exclude-standard", "-z", "--")
    pinned = run_git(root, *known, "params.yaml", "dvc.lock", "*.dvc").rstrip("\0").split("\0")
    run_git(root, "add", "--", *pinned)
    if ask_git(root, "diff", "--cached", "--quiet", "--", *pinned) is None:
        run_git(root, "commit", "--quiet", "--message", message, "--", *pinned, environment=_author())


def _author() -> dict[str, str]:
    """Return the author: ``LETHE_ACTOR``, or else the program; never the system's user."""
    name = re.sub(r"[<>\x00-\x1f]", "", LedgerSettings.read().actor).strip(" .,;:'\"") or "Lethe"
    return {
        f"GIT_{role}_{field}": value
        for role in ("AUTHOR", "COMMITTER")
        for field, value in (("NAME", name), ("EMAIL", "lethe@localhost"))
    }


def _release_index(root: Path) -> None:
    """Remove the lock of git's index that a killed git left."""
    lock = root / run_git(root, "rev-parse", "--git-path", "index.lock")
    try:
        age_s = time.time() - lock.stat().st_mtime
    except FileNotFoundError:
        return
    if age_s < STALE_S:
        raise UnavailableError("another git is running in the checkout; the same may succeed in a minute")
    lock.unlink(missing_ok=True)
