"""What purges have erased in a project, read from their records: they lie with the evidence."""

from collections.abc import Iterator
from dataclasses import dataclass

from tasks.checkout.checkout import Checkout
from tasks.checkout.files import read_record, write_record
from tasks.evidence.inventories import verify_inventory
from tasks.keys.folder import load_pseudonym_key
from tasks.keys.outlines import is_seal, seal_record
from tasks.keys.ring import pseudonym_keys
from tasks.keys.signing import read_certificate
from unlearn_core.audit.countersigning import take_apart
from unlearn_core.errors import ErasedError, LetheError
from unlearn_core.records.base import Sha256, UtcTime, sha256
from unlearn_core.records.certificate import DeletionCertificate
from unlearn_core.records.inventory import Inventory
from unlearn_core.records.purge import PurgePlan, PurgeRecord


@dataclass(frozen=True)
class Erased:
    """What a purge erased, as far as that can be believed.

    Attributes:
        request: The request.
        digests: The digests of the data sets and models.
        on: When: the time of the inventory, or else when the purge was planned.
        inventory: The digest of the inventory, if one shows it.
    """

    request: str
    digests: frozenset[Sha256]
    on: UtcTime
    inventory: Sha256 | None = None


def keep_purge(checkout: Checkout, record: PurgeRecord) -> PurgeRecord:
    """Write the record of a purge, sealed with the pseudonym key, and return it as it was written."""
    sealed = record.changed(seal=seal_record(load_pseudonym_key(), record.changed(seal="").digest))
    write_record(checkout.purge_record(record.request), sealed)
    return sealed


def written_purge(checkout: Checkout, request_id: str) -> PurgeRecord | None:
    """Return the record of a purge as it is written, by whomever; None if there is none."""
    path = checkout.purge_record(request_id)
    return read_record(path, PurgeRecord) if path.is_file() else None


def purge_of(checkout: Checkout, request_id: str) -> PurgeRecord | None:
    """Return how far the purge of a request has come; None if there is none.

    Anybody can write a file, so a record is believed only if it is sealed with a pseudonym key that is at
    hand, or if the signed inventory stands that it names.
    """
    record = written_purge(checkout, request_id)
    if record is None or record.request != request_id:
        return None
    sealed = is_seal(_keys(), record.changed(seal="").digest, record.seal)
    return record if sealed or isinstance(absence_shown(checkout, record), Inventory) else None


def absence_shown(checkout: Checkout, record: PurgeRecord) -> Inventory | str:
    """Return the signed inventory that a record of a purge names, or why nothing is shown by it.

    Anybody can write a record; only a complete inventory about the request's certificate, signed with a
    trusted key, shows that the data are erased.

    Args:
        checkout: The checkout.
        record: The record.

    Returns:
        The inventory; or a clause that says why there is none to rely on.
    """
    path, certificate = checkout.inventory(record.request), checkout.certificate(record.request)
    if not path.is_file() or not certificate.is_file():
        return "the record of the purge says that they are, and the inventory that it names is not here"
    if (found := _inventory(checkout, record.request)) is None:
        return "the inventory beside the record of the purge could not be verified with a key trusted here"
    inventory, digest = found
    named = (digest, inventory.finished)
    if named != (record.inventory, record.proved) or not _stands(checkout, record.request, inventory):
        return "the record of the purge and the inventory beside it do not agree"
    return inventory


def purge_that_erased(checkout: Checkout, *digests: Sha256) -> Erased | None:
    """Return a purge that erased any of some data sets or models; None if none is known to have.

    Args:
        checkout: The checkout, with the evidence of its purges.
        *digests: The digests of data sets and models.

    Returns:
        What a signed inventory shows, or what the sealed record of a purge says that has none yet.
    """
    wanted = set(digests)
    return next((one for one in _purges(checkout) if wanted & one.digests), None)


def refuse_erased(checkout: Checkout, certified: DeletionCertificate) -> None:
    """Refuse to run a deletion again whose inputs a purge has erased.

    Args:
        checkout: The checkout, with the evidence of its purges.
        certified: The deletion.

    Raises:
        ErasedError: If the data or the model that it began from is erased; says when, and what shows it.
    """
    found = purge_that_erased(checkout, certified.data.before, certified.models.parent)
    if found is None:
        return
    by = f"the purge of request {found.request}"
    if found.inventory is not None:
        by = f"{by}, and the inventory {checkout.inventory(found.request)} ({found.inventory}) shows it"
    raise ErasedError(
        f"the data and the models that request {certified.request.id} began from were erased on "
        f"{found.on[:10]} by {by}: the deletion cannot be run again. Its certificate stays valid"
    )


def find_plan(checkout: Checkout, request_id: str) -> PurgePlan | None:
    """Return the plan of a purge; None if there is none, or its inventory stands."""
    path = checkout.purge_plan(request_id)
    return read_record(path, PurgePlan) if path.is_file() else None


def _purges(checkout: Checkout) -> Iterator[Erased]:
    """Yield what purges have erased, in the order of their requests."""
    paths = (checkout.purge_record("*"), checkout.inventory("*"))
    patterns = [path.relative_to(checkout.root).as_posix() for path in paths]
    for request_id in sorted({path.parent.name for one in patterns for path in checkout.root.glob(one)}):
        found, record = _inventory(checkout, request_id), purge_of(checkout, request_id)
        if found is not None and _stands(checkout, request_id, found[0]):
            inventory, digest = found
            erased = frozenset((*inventory.data, *inventory.models))
            yield Erased(request_id, erased, inventory.finished, digest)
        elif record is not None:
            yield Erased(request_id, frozenset((*record.data, *record.models)), record.started)


def _inventory(checkout: Checkout, request_id: str) -> tuple[Inventory, Sha256] | None:
    """Return the inventory beside a request's certificate with its digest, if a trusted key signed it."""
    path = checkout.inventory(request_id)
    if not path.is_file():
        return None
    try:
        issued, _ = take_apart(read_certificate(path))
        return verify_inventory(issued)[0], sha256(issued)
    except LetheError:
        return None


def _stands(checkout: Checkout, request_id: str, inventory: Inventory) -> bool:
    """Tell whether an inventory is complete, and about the request's certificate."""
    try:
        about, _ = take_apart(read_certificate(checkout.certificate(request_id)))
    except LetheError:
        return False
    same = (inventory.request.id, inventory.certificate) == (request_id, sha256(about))
    return same and inventory.complete


def _keys() -> tuple[bytes, ...]:
    """Return the pseudonym keys of this machine; none where there are none, as at an auditor's."""
    try:
        return tuple(pseudonym_keys())
    except LetheError:
        return ()
