"""DVC: what is pinned, and what a lock says. Every call is to DVC's Python API."""

import hashlib
import json
import logging
from collections.abc import Iterator
from contextlib import chdir, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML

from tasks.storage.foreign import refuse_programs
from unlearn_core.errors import PipelineError, SetupError
from unlearn_core.records.base import Sha256, canonical_json, sha256

if TYPE_CHECKING:
    from dvc.repo import Repo

CERTIFY = "certify"
SITE_CACHE = Path(".lethe/dvc")
"""Where DVC keeps what it knows of files, in a project; ``.dvc/config`` says so too, for ``dvc`` itself."""


@contextmanager
def opened(root: Path, config: dict[str, Any] | None = None) -> Iterator["Repo"]:
    """Open the DVC repository of a checkout, in its folder: DVC looks stages up in the working folder.

    Args:
        root: The checkout.
        config: Settings beside those in its files, while it is open.

    Yields:
        The repository.

    Raises:
        SetupError: If it is not a DVC repository, or its committed settings would run a program.
        PipelineError: If DVC stops.
    """
    from dvc.exceptions import DvcException, NotDvcRepoError
    from dvc.repo import Repo

    # DVC reports on standard output, which is for results.
    logging.getLogger("dvc").setLevel(logging.WARNING)
    try:
        with chdir(root), Repo(config=_safe(config)) as repo:
            _remove_torn_locks(Path(".dvc/tmp"))
            yield repo
    except NotDvcRepoError as error:
        raise SetupError(
            f"{root} is not a DVC repository; run `dvc init` in it, with `--subdir` below git's top folder"
        ) from error
    except DvcException as error:
        raise PipelineError(f"DVC: {error}") from error


def _remove_torn_locks(folder: Path) -> None:
    """Remove DVC's list of locked paths if a process was ended while it wrote it: DVC refuses it for ever.

    DVC empties the file and writes it anew, many times a minute, and does not rename it into place.
    """
    from dvc.lock import make_lock
    from dvc.rwlock import RWLOCK_FILE, RWLOCK_LOCK

    if _is_torn(path := folder / RWLOCK_FILE):
        # Whoever writes it holds this.
        with make_lock(str(folder / RWLOCK_LOCK), tmp_dir=str(folder)):
            if _is_torn(path):
                path.unlink()


def _is_torn(path: Path) -> bool:
    try:
        json.loads(path.read_bytes())
    except FileNotFoundError:
        return False
    except ValueError:
        return True
    return False


def _safe(config: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return settings with which DVC believes neither a remote nor another user of this machine.

    A remote is trusted by default, and pickles are kept in a folder that every user can write to. Where DVC
    makes such a folder, everybody can write to it, so it is made here, in the working folder, before.

    Raises:
        NotDvcRepoError: If the working folder has no ``.dvc``.
    """
    from dvc.config import Config, merge
    from dvc.exceptions import NotDvcRepoError

    if not Path(".dvc").is_dir():  # DVC would take one of a folder above, whose settings nobody looked at
        raise NotDvcRepoError(".dvc is missing")
    here = Config(".dvc")
    committed: Any = here.load_one("repo")
    refuse_programs(committed)
    for folder in (SITE_CACHE.parent, SITE_CACHE, SITE_CACHE / "repo"):
        folder.mkdir(mode=0o700, exist_ok=True)
        if (mode := folder.stat().st_mode) & 0o022:
            folder.chmod(mode & 0o755)
    remotes: Any = here["remote"]
    settings: dict[str, Any] = {
        "core": {"site_cache_dir": str(SITE_CACHE.resolve())},
        "remote": {name: {"verify": True} for name in remotes},
    }
    merge(settings, config or {})
    return settings


def is_current(root: Path, stage: str) -> bool:
    """Tell whether a stage's dependencies, parameters and outputs are those in the lock."""
    with opened(root) as repo:
        return not repo.status(targets=[stage])


def pin(root: Path, stage: str) -> None:
    """Write a stage's digests into ``dvc.lock`` and its outputs into the cache, as ``dvc repro`` would."""
    with opened(root) as repo:
        repo.commit(stage, force=True)


def track(root: Path, *folders: Path) -> None:
    """Put folders under DVC, with a ``.dvc`` file beside each for git."""
    targets = [str(folder.resolve()) for folder in folders]
    with opened(root) as repo:
        repo.add(targets)  # pyright: ignore[reportArgumentType]  (a decorator hides the method's type)


def is_pinned(root: Path, file: Path) -> bool:
    """Tell whether the lock holds an output in its present state, whatever it was made from.

    Args:
        root: The checkout.
        file: A file that a stage writes.

    Returns:
        Whether it exists with the content that some stage in the lock wrote.
    """
    path = root / "dvc.lock"
    if not path.is_file() or not file.is_file():
        return False
    digest = hashlib.md5(file.read_bytes(), usedforsecurity=False).hexdigest()
    own = {"path": file.relative_to(root).as_posix(), "md5": digest}
    stages = YAML(typ="safe", pure=True).load(path.read_text())["stages"]
    return any(own.items() <= out.items() for stage in stages.values() for out in stage["outs"])


def lock_digest(root: Path) -> Sha256:
    """Return the digest of the lock's stages before certification.

    The stage that certifies is left out: its entry is written after the certificate. DVC's API cannot be used
    while a stage runs, so the file is read directly.

    Args:
        root: The checkout.

    Returns:
        The digest of those stages' canonical JSON.

    Raises:
        PipelineError: If there is no lock.
    """
    path = root / "dvc.lock"
    if not path.is_file():
        raise PipelineError(f"{path} does not exist; certification comes after the stages that write it")
    return digest_of_lock(path.read_text())


def digest_of_lock(lock: str) -> Sha256:
    """Return the digest of a lock's stages before certification, as ``lock_digest`` does of a checkout's."""
    stages = YAML(typ="safe", pure=True).load(lock)["stages"]
    return sha256(canonical_json({name: entry for name, entry in stages.items() if name != CERTIFY}))
