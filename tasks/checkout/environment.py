"""The environment of a run: the clock, git, versions, and where Lethe's folders are."""

import fcntl
import getpass
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

from tasks.checkout.files import file_digest
from tasks.checkout.git import ask_git
from tasks.checkout.planted import refuse_planted
from tasks.checkout.software import DISTRIBUTION, require_pinned
from tasks.checkout.variables import set_defaults
from unlearn_core.audit.clocks import TIME
from unlearn_core.errors import SetupError
from unlearn_core.records.base import Sha256, UtcTime

_PACKAGES = (
    DISTRIBUTION,
    "torch",
    "torchvision",
    "numpy",
    "scikit-learn",
    "safetensors",
    "dvc",
    "mlflow",
    "prefect",
)

LIBRARY_SETTINGS = {
    "DO_NOT_TRACK": "true",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "GX_ANALYTICS_ENABLED": "false",
    "DVC_NO_ANALYTICS": "1",
    "RAY_USAGE_STATS_ENABLED": "0",
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
    # Prefect stores the error of a failed run, by default as a pickle.
    "PREFECT_RESULTS_DEFAULT_SERIALIZER": "json",
    # Prefect logs and stores the traceback of every error, even of those that are one message to a person.
    "PREFECT_LOGGING_LEVEL": "CRITICAL",
    # MLflow logs the traceback of an error of its database and raises it too; parameters stand in it.
    "MLFLOW_LOGGING_LEVEL": "CRITICAL",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
}

MARKS = ("params.yaml", "dvc.yaml")
"""What marks the top folder of a project."""

OWN_CODE = {"PYTHONSAFEPATH": "1"}
"""For a Python started in a project: a folder named like one of Lethe's packages must not shadow it."""


def configure_libraries() -> None:
    """Set what libraries read on import: no telemetry, no chatter, no pickles."""
    set_defaults(LIBRARY_SETTINGS)


def now() -> UtcTime:
    """Return the time, UTC, to the second."""
    return datetime.now(UTC).strftime(TIME)


def working_folder() -> Path:
    """Return the working folder.

    Returns:
        Its absolute path.

    Raises:
        SetupError: If it was removed.
    """
    try:
        return Path.cwd()
    except FileNotFoundError:
        raise SetupError(
            "the working folder is no longer there: it was removed or replaced. Change to your project again"
        ) from None


def require_checkout(root: Path) -> Path:
    """Return the top folder of the project that a folder is in.

    Args:
        root: The folder.

    Returns:
        The project's top folder.

    Raises:
        SetupError: If it is in no project, or not in a git checkout, or git holds what it must not.
    """
    if (found := find_checkout(root)) is None:
        raise SetupError(outside_of_projects(root))
    refuse_planted(found)
    return found


def outside_of_projects(folder: Path) -> str:
    """Return the one answer to whoever works in a folder that is in no project: why, and what to do."""
    if (top := _git_top(folder)) is None:
        why = "it is not in a git checkout, and Lethe pins every deletion with git and DVC"
    else:
        why = f"neither it nor a folder above it, up to {top}, holds {' and '.join(MARKS)}"
    return (
        f"{folder.resolve()} is not in a Lethe project: {why}. Change to your project, or run `lethe init` "
        "to make one here"
    )


def find_checkout(root: Path) -> Path | None:
    """Return the top folder of the project that a folder is in, if any; it may be below git's top folder."""
    found, top = nearest_project(root), _git_top(root)
    return found if found and top and found.is_relative_to(top) else None


def nearest_project(folder: Path) -> Path | None:
    """Return the nearest folder upwards that looks like a project, in git or not."""
    here = folder.resolve()
    return next(
        (place for place in (here, *here.parents) if all((place / mark).is_file() for mark in MARKS)), None
    )


def _git_top(folder: Path) -> Path | None:
    top = ask_git(folder, "rev-parse", "--show-toplevel")
    return Path(top) if top else None


def actor() -> str:
    """Return who acts: ``LETHE_ACTOR``, else the name or number of the system's user."""
    from tasks.checkout.settings import LedgerSettings  # the command line starts without pydantic-settings

    if named := LedgerSettings.read().actor:
        return named
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


@contextmanager
def sole_use(root: Path) -> Iterator[None]:
    """Work alone in a project, with the Lethe that it was made with.

    Args:
        root: The project's top folder.

    Yields:
        Nothing.

    Raises:
        SetupError: If another process holds its lock, or it was made with another Lethe.
    """
    with locked(root):
        require_pinned(root)
        yield


@contextmanager
def locked(root: Path) -> Iterator[None]:
    """Keep every other Lethe process out of a project: they all write to the same folders.

    The folder itself is locked, so nothing is written; the lock ends with the process, however that ends.

    Args:
        root: The project's top folder.

    Yields:
        Nothing.

    Raises:
        SetupError: If another process holds it.
    """
    folder = os.open(root, os.O_RDONLY)
    try:
        _lock(folder)
        yield
    finally:
        os.close(folder)


def _lock(folder: int) -> None:
    """Lock an open folder, or raise if another process holds it."""
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise SetupError(
            "another Lethe command or stage is running in this checkout; wait for it, or use a clone"
        ) from error


def git_commit(root: Path) -> str | None:
    """Return the checked-out commit, or None before the first one."""
    return ask_git(root, "rev-parse", "--verify", "HEAD")


def git_is_dirty(root: Path) -> bool:
    """Tell whether tracked files differ from the commit.

    The parameters and the lock do not count: a deletion changes both, and the certificate names the
    lock's digest, which covers the parameters.

    Args:
        root: The checkout.

    Returns:
        Whether anything else differs, or git could not tell.
    """
    changed = ask_git(
        root, "status", "--porcelain", "--untracked-files=no", "--", ".", ":!dvc.lock", ":!params.yaml"
    )
    return changed != ""


def version_of_lethe() -> str:
    """Return the installed version of Lethe."""
    return metadata.version(DISTRIBUTION)


def versions() -> dict[str, str]:
    """Return the versions of Python and of the libraries that results depend on."""
    return {"python": platform.python_version(), **{name: metadata.version(name) for name in _PACKAGES}}


def platform_name() -> str:
    """Return the system and the processor's architecture, and nothing that names the machine."""
    return f"{platform.system()}-{platform.machine()}"


def constraints_digest(root: Path) -> Sha256 | None:
    """Return the digest of ``constraints.txt``, if there is one."""
    path = root / "constraints.txt"
    return file_digest(path) if path.is_file() else None
