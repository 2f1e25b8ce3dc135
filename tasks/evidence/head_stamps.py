"""Time stamps of the ledger's head: according to somebody else, its history up to an event existed then.

A head is in ``evidence/_ledger/head-EVENT.json``, its stamp beside it, and both in the bucket if one is
configured. Nobody signs them: what counts is the stamp.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tasks.checkout.files import write_atomically
from tasks.checkout.regular import read_regular
from tasks.evidence.anchoring import Anchor, believed_authorities, read_stamp, read_stamp_file, stamp_of
from tasks.evidence.stamping import stamp_file
from tasks.requests.ledger.ledger import Ledger
from tasks.storage.object_store import ObjectStore, find_store
from unlearn_core.errors import EvidenceError, LetheError, SetupError
from unlearn_core.records.base import Sha256
from unlearn_core.records.ledger import LedgerHead

FOLDER = "_ledger"
"""No request has such an id."""


class StampedHead(NamedTuple):
    """A head and when it was stamped; or why the file says nothing."""

    place: str
    head: Sha256 | None
    why: str


def stamp_head(root: Path, ledger: Ledger) -> tuple[Path, Anchor]:
    """Have the head of a ledger stamped, after its chain was recomputed.

    Args:
        root: The checkout in whose evidence it is kept.
        ledger: The ledger.

    Returns:
        The head's file, and when it was stamped, by whom.

    Raises:
        SetupError: If the ledger is empty.
    """
    if (head := ledger.verify()) is None or (events := ledger.place_of_event(head)) is None:
        raise SetupError("the ledger has no event yet; there is no head to stamp")
    path = root / "evidence" / FOLDER / f"head-{events}.json"
    write_atomically(path, LedgerHead(head=head, events=events).canonical())
    anchor = stamp_file(path)
    if (store := find_store()) is not None:
        store.write_once(f"{FOLDER}/{path.name}", read_regular(path))
        if store.read(name := f"{FOLDER}/{stamp_of(path).name}") is None:
            store.write_once(name, read_stamp_file(stamp_of(path)))
    return path, anchor


def heads_in_checkout(root: Path) -> Iterator[StampedHead]:
    """Yield the stamped heads that a checkout keeps."""
    for path in sorted((root / "evidence" / FOLDER).glob("head-*.json")):
        stamp = stamp_of(path)
        kept = read_stamp_file(stamp) if stamp.is_file() else None
        yield _read(str(path.relative_to(root)), read_regular(path), kept)


def heads_in_store(store: ObjectStore) -> Iterator[StampedHead]:
    """Yield the stamped heads in a bucket."""
    for key in store.list(f"{FOLDER}/"):
        if key.endswith(".json") and (raw := store.read(key)) is not None:
            yield _read(store.address(key), raw, store.read(str(stamp_of(Path(key)))))


def _read(place: str, raw: bytes, stamp: bytes | None) -> StampedHead:
    """Read one head and verify its stamp."""
    try:
        if stamp is None:
            raise EvidenceError("no time stamp lies beside it")
        if not (authorities := believed_authorities()):
            raise SetupError("no time stamp authority is believed here; set LETHE_TSA_CA")
        anchor = read_stamp(stamp, raw, authorities)
        return StampedHead(f"{place} ({anchor.time}, {anchor.authority})", LedgerHead.parse(raw).head, "")
    except LetheError as error:
        return StampedHead(place, None, str(error))
