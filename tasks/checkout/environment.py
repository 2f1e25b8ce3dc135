"""The world around a run: the clock, git, versions, and where Lethe's own folders are."""

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
from tasks.checkout.variables import set_defaults
from unlearn_core.errors import SetupError
from unlearn_core.records.base import Sha256, UtcTime

PACKAGES = (
    "lethe-unlearning",
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
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
    # Prefect stores the error of a failed run, by default as a pickle.
    "PREFECT_RESULTS_DEFAULT_SERIALIZER": "json",
    # Prefect logs, and stores, the traceback of every error, also of those that are one message to a person.
    "PREFECT_LOGGING_LEVEL": "CRITICAL",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
}


def configure_libraries() -> None:
    """Set what libraries read when they are imported: no telemetry, no chatter, no pickles."""
    set_defaults(LIBRARY_SETTINGS)


def now() -> UtcTime:
    """Return the time, UTC, to the second."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def require_checkout(root: Path) -> Path:
    """Return the root of the git checkout that ``root`` is in.

    Args:
        root: A folder.

    Returns:
        The checkout's top folder.

    Raises:
        SetupError: If it is not in a git checkout.
    """
    top = ask_git(root, "rev-parse", "--show-toplevel")
    if top is None:
        raise SetupError(
            f"{root.resolve()} is not in a git checkout; Lethe pins every deletion with git and DVC. "
            "Clone the project, or run `git init && dvc init` here"
        )
    return Path(top)


def find_checkout(root: Path) -> Path | None:
    """Return the top folder of the Lethe checkout that ``root`` is in, with its ``params.yaml``, if any."""
    top = ask_git(root, "rev-parse", "--show-toplevel")
    return Path(top) if top and (Path(top) / "params.yaml").is_file() else None


def actor() -> str:
    """Return who acts: ``LETHE_ACTOR``, else the name or the number of the system's user."""
    from tasks.checkout.settings import LedgerSettings  # the command line starts without pydantic-settings

    if named := LedgerSettings.read().actor:
        return named
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


@contextmanager
def sole_use(root: Path) -> Iterator[None]:
    """Keep every other Lethe process out of a checkout: all of them write to the same folders.

    The folder itself is locked, so nothing is written; the lock ends with the process, however that ends.

    Args:
        root: The checkout's top folder.

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
    """Lock an open folder, or say that somebody else holds it."""
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise SetupError(
            "another Lethe command or stage is at work in this checkout; wait for it, or use a clone"
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
    """Return the version of Lethe that is installed."""
    return metadata.version(PACKAGES[0])


def versions() -> dict[str, str]:
    """Return the versions of Python and of the libraries that results depend on."""
    return {"python": platform.python_version(), **{name: metadata.version(name) for name in PACKAGES}}


def platform_name() -> str:
    """Return the system and the processor's architecture, and nothing that names the machine."""
    return f"{platform.system()}-{platform.machine()}"


def constraints_digest(root: Path) -> Sha256 | None:
    """Return the digest of ``constraints.txt``, if there is one."""
    path = root / "constraints.txt"
    return file_digest(path) if path.is_file() else None
