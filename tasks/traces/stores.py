"""Every store that Lethe writes to: this is the only list of them."""

import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tasks.checkout.checkout import Checkout
from tasks.checkout.linked import REPLAYS
from tasks.checkout.settings import ServiceSettings, WorkerSettings
from tasks.checkout.variables import variable_value
from tasks.requests.ledger.database import ledger_url
from tasks.storage.object_store import find_data_store, find_store
from tasks.storage.remote import REMOTE
from tasks.storage.versioning import opened
from tasks.traces.buckets import Bucket
from tasks.traces.cached import Cached
from tasks.traces.databases import Database
from tasks.traces.folders import FilesBelow
from tasks.traces.git_objects import GitObjects
from tasks.traces.remotes import Remote
from tasks.traces.stored import SearchableStore

_DERIVED = frozenset({"outputs", "relearning"})
_OBJECT_OF_GIT = re.compile(
    r"\.git/objects/([0-9a-f]{2}/[0-9a-f]{38,62}|pack/pack-[0-9a-f]{40,64}\.(pack|idx|rev|bitmap|mtimes))"
)
"""Loose objects and packs; all else below ``.git`` are files like others."""


def stores_of(checkout: Checkout) -> tuple[SearchableStore, ...]:
    """Return every store of a project that can be searched from here.

    Args:
        checkout: The checkout.

    Returns:
        The stores, nearest first.
    """
    root = checkout.root.resolve()
    with opened(root) as repo:
        cache, remote = Path(repo.cache.local.path).resolve(), repo.config["core"].get("remote")
    return (*_in_project(root, cache), *_remotes(root, remote), *_elsewhere(checkout))


def not_searched() -> tuple[str, ...]:
    """Return what no search from here reaches, each with what to do about it."""
    services = ServiceSettings.read()
    return (
        *(("MLflow's server: search the folder and the database of its host",) * bool(services.tracking_uri)),
        *(("Prefect's server: search the database of its host",) * bool(services.prefect_url)),
        "backups, and clones on other machines: ask whoever keeps them",
    )


def _in_project(root: Path, cache: Path) -> Iterator[SearchableStore]:
    """Yield the stores in a project's folder, and the cache that DVC keeps, wherever that is."""
    own, runs = root / ".lethe", root / "mlruns"
    stores = frozenset({cache, own, runs})
    yield FilesBelow("project", "the project's folder", root, stores, left_out=_OBJECT_OF_GIT)
    yield FilesBelow(".lethe", "Lethe's cache in the project", own, frozenset({cache}), derived=_DERIVED)
    yield FilesBelow("mlruns", "MLflow's runs and models in the project", runs)
    yield Cached(FilesBelow("dvc cache", "DVC's cache", cache))
    yield GitObjects(root)


def _remotes(root: Path, remote: str | None) -> Iterator[SearchableStore]:
    """Yield DVC's default remote, if it has one, and the buckets."""
    if remote and remote != REMOTE:
        yield Cached(Remote(root, remote))
    evidence, data = find_store(), find_data_store()
    if evidence is not None:
        yield Cached(Bucket(evidence, "bucket", "the bucket of evidence, with every version"))
    if data is not None and data.bucket != (evidence and evidence.bucket):
        yield Cached(Bucket(data, "data bucket", "the bucket of data and models, with every version"))


def _elsewhere(checkout: Checkout) -> Iterator[SearchableStore]:
    """Yield what lies outside of the project on this machine, and the ledger's database."""
    if (url := ledger_url(checkout.root)).database != str(checkout.ledger):
        yield Database(url)
    if (work := WorkerSettings.read().work) is not None:
        yield Cached(FilesBelow("workers", "the clones of this machine's workers", work.resolve()))
    prefect = Path(variable_value("PREFECT_HOME") or Path.home() / ".prefect")
    yield FilesBelow("prefect", "Prefect's folder on this machine", prefect)
    for folder in sorted(Path(tempfile.gettempdir()).glob(f"{REPLAYS}*")):
        yield Cached(FilesBelow(folder.name, "a replay that was cut short", folder))
