"""What a purge does about a trace, and when it may begin: rules over names and times, no files."""

from collections.abc import Collection
from dataclasses import dataclass

from unlearn_core.audit.deadlines import later
from unlearn_core.records.base import Sha256, UtcTime
from unlearn_core.records.certificate import DeletionCertificate
from unlearn_core.records.erasing import PurgePolicy
from unlearn_core.records.purge import Handling
from unlearn_core.records.traces import TraceKind

OWN_FOLDERS = frozenset({"data", "models", "reports"})
"""The folders of a project in which all is Lethe's, and can be erased."""

_RECORDS = "a record of the request: pseudonyms, which say nothing without the key"
_EVIDENCE = (
    "evidence and requests are never erased, and must hold no more than pseudonyms: look at what it is"
)
_GIT = (
    "git's history is not Lethe's to change: remove it with `git filter-repo`, then "
    "`git reflog expire --expire=now --all && git gc --prune=now`, here and in every clone"
)
_LEDGER = "the ledger is never changed, and must hold no more than pseudonyms: look at what it is"
_CLONE = (
    "a worker's clone: stop its worker and remove the clone's folder below LETHE_WORK; it is cloned again"
)
_YOURS = "a file of your own in the project: remove it yourself, or move it to where it belongs"
_OLD = "a database from which rows were deleted keeps their bytes until it is compacted"


@dataclass(frozen=True)
class Sparing:
    """What a purge leaves alone.

    Attributes:
        accepted: The digests of models that were accepted: only what they learned makes them go.
        in_use: The digests of the data set and of the models in use.
        waiting: Models that are kept for now, by digest, each with the reason.
    """

    accepted: frozenset[Sha256]
    in_use: frozenset[Sha256]
    waiting: dict[Sha256, str]


def treatment_of(store: str, address: str, kinds: Collection[TraceKind]) -> tuple[Handling, str]:
    """Say what a purge does about an object that holds a trace.

    Args:
        store: The store's name.
        address: The object's address there.
        kinds: What it holds.

    Returns:
        What is done about it, and why.
    """
    if set(kinds) <= {"pseudonym"}:
        return "record", _RECORDS
    if why := _not_ours(store, address.split("/")):
        return "not_ours", why
    if store in {"mlruns", "prefect"} and address.endswith(".db"):
        return "compact", _OLD
    return "erase", ""


def _not_ours(store: str, parts: list[str]) -> str:
    """Say why an object is not Lethe's to erase; empty if it is."""
    if store == "git" or ".git" in parts:
        return _GIT
    if store == "ledger":
        return _LEDGER
    if store == "workers":
        return _CLONE
    if store != "project" or parts[0] in OWN_FOLDERS:
        return ""
    return _EVIDENCE if parts[0] in {"requests", "evidence"} else _YOURS


def unit_of(store: str, address: str) -> str | None:
    """Return the folder that goes as a whole if anything in it goes: a data set, a model, its pointer.

    Args:
        store: The store's name.
        address: An object's address there.

    Returns:
        The folder's address; None if the object is by itself.
    """
    parts = address.split("/")
    if store == ".lethe" and parts[0] == "attempts" and len(parts) > 2:
        return "/".join(parts[:2])
    if store != "project" or parts[0] not in {"data", "models"}:
        return None
    deep = parts[1:2] and parts[1] in {"generations", "references"}
    unit = "/".join(parts[: 3 if deep else 2])
    return unit.removesuffix(".dvc") if len(parts) > (2 if deep else 1) else None


def purge_from(promoted: UtcTime, policy: PurgePolicy) -> UtcTime:
    """Return from when on what was forgotten may be erased."""
    return later(promoted, policy.grace_h * 3600)


def previous_until(promoted: UtcTime, policy: PurgePolicy) -> UtcTime:
    """Return until when the model before is kept, to go back to."""
    return later(promoted, max(policy.grace_h, policy.keep_previous_h) * 3600)


def rows_lost(certified: DeletionCertificate, found: int) -> int:
    """Return how many of the forgotten training rows no store has any more.

    Args:
        certified: The deletion; without the trees of its manifest nothing is known.
        found: How many rows of the request the stores have.

    Returns:
        The number; 0 if it is not known.
    """
    if (trees := certified.manifest) is None:
        return 0
    return max(0, trees.before.size - trees.after.size - found)
