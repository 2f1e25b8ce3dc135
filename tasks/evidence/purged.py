"""What purges have erased in a project, read from their records: they lie with the evidence."""

from collections.abc import Iterator

from tasks.checkout.checkout import Checkout
from tasks.checkout.files import read_record
from tasks.evidence.inventories import verify_inventory
from tasks.keys.signing import read_certificate
from unlearn_core.audit.countersigning import take_apart
from unlearn_core.errors import ErasedError, LetheError
from unlearn_core.records.base import Sha256, sha256
from unlearn_core.records.certificate import DeletionCertificate
from unlearn_core.records.inventory import Inventory
from unlearn_core.records.purge import PurgePlan, PurgeRecord


def purge_of(checkout: Checkout, request_id: str) -> PurgeRecord | None:
    """Return how far the purge of a request has come; None if there is none."""
    path = checkout.purge_record(request_id)
    return read_record(path, PurgeRecord) if path.is_file() else None


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
    try:
        issued, _ = take_apart(read_certificate(path))
        inventory, _ = verify_inventory(issued)
        about, _ = take_apart(read_certificate(certificate))
    except LetheError:
        return "the inventory beside the record of the purge could not be verified with a key trusted here"
    named = (sha256(issued), inventory.finished, inventory.request.id, inventory.certificate)
    if named != (record.inventory, record.proved, record.request, sha256(about)) or not inventory.complete:
        return "the record of the purge and the inventory beside it do not agree"
    return inventory


def purges(checkout: Checkout) -> Iterator[PurgeRecord]:
    """Yield the purges of a project, in the order of their requests."""
    for path in sorted(checkout.root.glob("evidence/*/purge.json")):
        yield read_record(path, PurgeRecord)


def purge_that_erased(checkout: Checkout, *digests: Sha256) -> PurgeRecord | None:
    """Return a purge that erased any of some data sets or models; None if none did."""
    wanted = set(digests)
    return next((one for one in purges(checkout) if wanted & {*one.data, *one.models}), None)


def refuse_erased(checkout: Checkout, certified: DeletionCertificate) -> None:
    """Refuse to run a deletion again whose inputs a purge has erased.

    Args:
        checkout: The checkout, with the records of its purges.
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
        f"{(found.proved or found.started)[:10]} by {by}: the deletion cannot be run again. Its certificate "
        "stays valid"
    )


def find_plan(checkout: Checkout, request_id: str) -> PurgePlan | None:
    """Return the plan of a purge; None if there is none, or its inventory stands."""
    path = checkout.purge_plan(request_id)
    return read_record(path, PurgePlan) if path.is_file() else None
