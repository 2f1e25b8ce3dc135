"""DVC's remote: data and models in Lethe's bucket, or wherever the project's ``.dvc/config`` says.

The bucket, its endpoint and the prefix are those of ``tasks/storage/object_store.py``. They are written to
``.dvc/config.local``, which git ignores; secrets are not: credentials come from the environment, which DVC
reads as boto3 does.
"""

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from tasks.checkout import patience
from tasks.checkout.checkout import Checkout
from tasks.checkout.variables import restored, set_defaults
from tasks.storage.foreign import refuse_manifests, refuse_places
from tasks.storage.object_store import find_data_store
from tasks.storage.store_errors import store_explained
from tasks.storage.versioning import opened
from unlearn_core.errors import PipelineError, SetupError

if TYPE_CHECKING:
    from dvc.output import Output

REMOTE = "lethe"
_LOGGERS = ("dvc.repo.fetch", "dvc_data", "dvc_objects")


def remote_settings() -> dict[str, str]:
    """Return DVC's settings for the remote that the environment names; none without a bucket.

    Raises:
        SetupError: If DVC's S3 support is not installed.
    """
    if (store := find_data_store()) is None:
        return {}
    if find_spec("dvc_s3") is None:
        raise SetupError(
            "a bucket is configured, but dvc-s3 is not installed; run `pip install 'lethe-unlearning[s3]'`"
        )
    # Verify what comes back against its digest: by default DVC trusts a remote.
    settings = {"url": store.address("dvc"), "verify": "True", "connect_timeout": "10", "read_timeout": "60"}
    return settings | ({"endpointurl": store.endpoint, "region": _region()} if store.endpoint else {})


def configure_remote(checkout: Checkout) -> str | None:
    """Make the configured bucket a checkout's default remote; without one, leave the project's remote.

    Args:
        checkout: The checkout.

    Returns:
        The default remote's name; None if there is none.
    """
    wanted = remote_settings()
    with opened(checkout.root) as repo:
        local: Any = repo.config.load_one("local")
        if local.get("remote", {}).get(REMOTE, {}) != wanted:
            with repo.config.edit("local") as local:
                _write(local, wanted)
        return repo.config["core"].get("remote")


def push_data(checkout: Checkout) -> int | None:
    """Send what the lock and the ``.dvc`` files name, and the default remote lacks, to that remote.

    Args:
        checkout: The checkout, its remote configured.

    Returns:
        How many files were sent; None if there is no remote.

    Raises:
        PipelineError: If something is in neither place.
        SetupError: If the remote cannot be used with these credentials.
        UnavailableError: If it does not answer.
    """
    with opened(checkout.root) as repo, _patient(), _explained():
        if not repo.config["core"].get("remote"):
            return None
        return repo.push()  # pyright: ignore[reportCallIssue]  (a decorator hides the method's type)


def pull_data(checkout: Checkout, *targets: str, settings: dict[str, Any] | None = None) -> None:
    """Bring data into a checkout from DVC's cache, filled from the default remote.

    Args:
        checkout: The checkout.
        targets: Outputs of stages, or files and folders under DVC; all that are pinned by default.
        settings: DVC settings beside those of the checkout, e.g. ``shared_settings`` of another one.

    Raises:
        PipelineError: If something is in neither place, differs from what git says, or would be written
            outside of the project's folders.
        SetupError: If there is no remote to fetch from, or it cannot be used with these credentials.
        UnavailableError: If it does not answer.
    """
    root = checkout.root.resolve()  # it may be relative, and DVC works in its folder
    with opened(root, settings) as repo:
        # What no run has pinned yet is made by the stages, and cannot be fetched.
        if not (chosen := list(targets) or [str(out) for out in repo.index.outs if out.hash_info]):
            return
        outs = [out for target in chosen for out in repo.find_outs_by_path(target, recursive=True)]
        refuse_places(root, outs)
        with _patient(), _explained():
            refuse_manifests(repo, outs)
        if lost := _incomplete(outs):
            if not repo.config["core"].get("remote"):
                raise SetupError(
                    f"{', '.join(lost)}: not in DVC's cache, and no remote is configured to fetch it from; "
                    "set LETHE_S3_BUCKET (docs/evidence-store.md), or use `dvc remote add --default`"
                )
            with _patient(), _explained():
                repo.fetch(chosen)  # pyright: ignore[reportCallIssue]
        if lost := _incomplete(outs):
            raise PipelineError(
                f"{', '.join(lost)}: not in DVC's cache, and missing or altered in the remote. "
                "Restore it from a backup of the remote"
            )
        repo.checkout(chosen)  # pyright: ignore[reportCallIssue]


def shared_settings(checkout: Checkout) -> dict[str, Any]:
    """Return what lets a worktree share the cache and the default remote of its checkout.

    Args:
        checkout: The checkout; nothing in it changes.

    Returns:
        Settings for ``pull_data``. They may hold secrets of the checkout's configuration.
    """
    settings = remote_settings()
    own = {"core": {"remote": REMOTE}, "remote": {REMOTE: settings}} if settings else None
    with opened(checkout.root, own) as repo:
        shared: dict[str, Any] = {"cache": {**repo.config["cache"], "dir": repo.cache.local_cache_dir}}
        if name := repo.config["core"].get("remote"):
            # DVC trusts a remote unless told to verify it.
            remote = {**repo.config["remote"][name], "verify": True}
            shared |= {"core": {"remote": name}, "remote": {name: remote}}
        return shared


def _incomplete(outs: Iterable["Output"]) -> list[str]:
    """Return the outputs that are missing or altered in the cache."""
    return [str(out) for out in outs if out.use_cache and out.changed_cache()]


def _region() -> str:
    """Return the region that requests are signed for; for stores other than AWS's, the name of its first.

    Without one DVC would ask each bucket for its region, which not every store can answer.
    """
    import boto3

    return boto3.Session().region_name or "us-east-1"


def _write(local: dict[str, Any], wanted: dict[str, str]) -> None:
    """Add the remote to a local configuration, or remove it."""
    core, remotes = local.setdefault("core", {}), local.setdefault("remote", {})
    if wanted:
        core["remote"], remotes[REMOTE] = REMOTE, wanted
        return
    remotes.pop(REMOTE, None)
    if core.get("remote") == REMOTE:
        del core["remote"]


@contextmanager
def _patient() -> Iterator[None]:
    """Make DVC retry as often as ``ObjectStore`` does: it has no setting for that."""
    wanted = {"AWS_RETRY_MODE": "standard", "AWS_MAX_ATTEMPTS": str(patience.TRIES)}
    with restored(*wanted):
        set_defaults(wanted)
        yield


class _Listener(logging.Handler):
    """Keeps what DVC only logs: which files failed, and why."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.said: list[str] = []
        self.errors: list[BaseException] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(record.getMessage())
        if record.exc_info and record.exc_info[1]:
            self.errors.append(record.exc_info[1])


@contextmanager
def _listening() -> Iterator[_Listener]:
    """Capture what DVC logs, in place of its usual handlers."""
    listener, loggers = _Listener(), [logging.getLogger(name) for name in _LOGGERS]
    before = [(logger.handlers, logger.propagate) for logger in loggers]
    for logger in loggers:
        logger.handlers, logger.propagate = [listener], False
    try:
        yield listener
    finally:
        for logger, (handlers, propagate) in zip(loggers, before, strict=True):
            logger.handlers, logger.propagate = handlers, propagate


@contextmanager
def _explained() -> Iterator[None]:
    """Turn what a transfer raised or only logged into one of Lethe's errors."""
    from dvc.exceptions import DvcException

    with _listening() as listener:
        raised: Exception | None = None
        try:
            yield
        except (DvcException, OSError, *_store_errors()) as error:
            raised = error
        if raised is not None or listener.said:
            _explain(raised, listener)


def _explain(raised: Exception | None, listener: _Listener) -> None:
    """Raise an error that explains the store's first error, or else quotes DVC."""
    for error in (*([raised] if raised else []), *listener.errors):
        if (cause := _cause(error)) is not None:
            store = find_data_store()
            bucket = store.bucket if store else "the bucket of DVC's remote"
            with store_explained(bucket, setting="LETHE_S3_DATA_BUCKET"):
                raise cause
    said = "; ".join(" ".join(one.split()) for one in listener.said) or str(raised)
    raise PipelineError(f"DVC could not transfer all data: {said}") from raised


def _cause(error: BaseException | None) -> Exception | None:
    """Return the store's error behind another one, unless an object is only missing."""
    kinds = _store_errors()
    while error is not None and not isinstance(error, kinds):
        error = error.__cause__ or error.__context__
    # Without an answer from the store, an error's response is None.
    code = (getattr(error, "response", None) or {}).get("Error", {}).get("Code")
    return None if error is None or code in {"NoSuchKey", "404"} else error


def _store_errors() -> tuple[type[Exception], ...]:
    """Return what the store's library raises; nothing where the remote needs no library."""
    if find_spec("botocore") is None:
        return ()
    from botocore.exceptions import BotoCoreError, ClientError

    return BotoCoreError, ClientError
