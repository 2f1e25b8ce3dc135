"""The ledger compared with every head at hand, of certificates and stamped ones, here and in the bucket.

Whoever cuts off a ledger's end, or makes a new one from nothing, leaves a chain that holds; but certificates
that were signed before name events that are no longer there.
"""

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from tasks.checkout.checkout import CERTIFICATE, Checkout
from tasks.evidence.dating import require_received
from tasks.evidence.head_stamps import StampedHead, heads_in_checkout, heads_in_store
from tasks.evidence.uploading import AT_ONCE
from tasks.keys.signing import read_certificate, verify_signature
from tasks.keys.trust import trusted_keys
from tasks.requests.ledger.ledger import Ledger
from tasks.storage.object_store import ObjectStore, find_store
from unlearn_core.errors import EvidenceError, LetheError
from unlearn_core.records.base import Sha256
from unlearn_core.records.certificate import DeletionCertificate


@dataclass
class HeadsAtHand:
    """What the ledger can be compared with.

    Attributes:
        certificates: Verified certificates, by where they are.
        stamped: Heads with a verified time stamp of their own, by where they are.
        left_out: Why a place, or a certificate, is not compared.
    """

    certificates: dict[str, DeletionCertificate] = field(default_factory=dict[str, DeletionCertificate])
    stamped: dict[str, Sha256] = field(default_factory=dict[str, Sha256])
    left_out: dict[str, str] = field(default_factory=dict[str, str])

    def heads(self) -> Iterator[tuple[str, Sha256]]:
        """Yield where a head is, and the head."""
        for place, certified in self.certificates.items():
            if certified.ledger is not None:
                yield place, certified.ledger
        yield from self.stamped.items()


def gather_heads(root: Path | None, *, shared: bool) -> HeadsAtHand:
    """Gather the heads of a checkout's certificates, and of those in the bucket, if one is configured.

    Args:
        root: The checkout, if there is one.
        shared: Whether the ledger is of all models in the bucket, not of the checkout's alone.

    Returns:
        The heads, and what could not be read.
    """
    found = HeadsAtHand()
    checkout = None if root is None else Checkout(root)
    _add(found, {} if checkout is None else _in_checkout(checkout))
    _add_stamped(found, () if root is None else heads_in_checkout(root))
    try:
        if (store := find_store()) is None:
            found.left_out["the bucket"] = "none is configured"
        else:
            _add(found, _in_bucket(store, "" if shared or checkout is None else _folder_of(checkout)))
            _add_stamped(found, heads_in_store(store))
    except LetheError as error:
        found.left_out["the bucket"] = str(error)
    return found


def compare_ledger(ledger: Ledger, at_hand: HeadsAtHand, head: Sha256 | None = None) -> Sha256 | None:
    """Recompute the chain, and compare it with every head at hand.

    Args:
        ledger: The ledger.
        at_hand: The heads.
        head: One more, that somebody kept.

    Returns:
        The ledger's head.

    Raises:
        EvidenceError: If anything was changed, the ledger does not contain one of the heads, or a certified
            service began before its request was received; each is named, with where it is from.
    """
    found = ledger.verify(head)
    sequences = {place: ledger.place_of_event(kept) for place, kept in at_hand.heads()}
    missing = [f"  {place}: {kept}" for place, kept in at_hand.heads() if sequences[place] is None]
    if not missing:
        _require_received(ledger, at_hand)
        return found
    held = max((one for one in sequences.values() if one is not None), default=None)
    if held is None:
        told = f"it was rebuilt, or is another one: it has none of the {len(missing)} heads at hand"
    else:
        told = f"it was cut off or rewritten somewhere after event {held}: it has only "
        told += f"{len(sequences) - len(missing)} of the {len(sequences)} heads at hand"
    raise EvidenceError(
        "\n".join([f"the ledger is not what certificates were signed with; {told}:", *missing])
    )


def _require_received(ledger: Ledger, at_hand: HeadsAtHand) -> None:
    """Refuse certificates of work that began before the request was received; all are named."""
    early = list[str]()
    for place, certified in at_hand.certificates.items():
        try:
            require_received(ledger, certified, None)
        except EvidenceError as error:
            early.append(f"  {place}: {error}")
    if early:
        raise EvidenceError("\n".join(["certificates and the ledger do not agree on times:", *early]))


def _add(found: HeadsAtHand, certificates: Mapping[str, bytes]) -> None:
    """Add those certificates that a trusted key signed and that carry a head."""
    if not certificates:
        return
    try:
        keys = trusted_keys()
    except LetheError as error:
        found.left_out |= dict.fromkeys(certificates, str(error))
        return
    for place, raw in certificates.items():
        try:
            certified = verify_signature(raw, keys)[0].predicate
        except EvidenceError as error:
            found.left_out[place] = str(error)
            continue
        if certified.ledger is None:
            found.left_out[place] = "it carries no head: no ledger held the request"
        else:
            found.certificates[place] = certified


def _add_stamped(found: HeadsAtHand, heads: Iterable[StampedHead]) -> None:
    """Add those heads that an authority stamped that is believed."""
    for one in heads:
        if one.head is None:
            found.left_out[one.place] = one.why
        else:
            found.stamped[one.place] = one.head


def _in_checkout(checkout: Checkout) -> dict[str, bytes]:
    """Return a checkout's certificates, by their paths in it."""
    paths = sorted((checkout.root / "evidence").glob(f"*/{CERTIFICATE}"))
    return {str(path.relative_to(checkout.root)): read_certificate(path) for path in paths}


def _in_bucket(store: ObjectStore, place: str) -> dict[str, bytes]:
    """Return the certificates below a place in the bucket, by their addresses."""
    keys = [key for key in store.list(place) if key.endswith(f"/{CERTIFICATE}")]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        read = list(pool.map(store.read, keys))
    return {store.address(key): raw for key, raw in zip(keys, read, strict=True) if raw is not None}


def _folder_of(checkout: Checkout) -> str:
    """Return the folder of a checkout's model in the bucket."""
    return f"{checkout.params.registry.model}/"
