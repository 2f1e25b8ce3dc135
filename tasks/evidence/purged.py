"""What purges have erased in a project, read from their records: they lie with the evidence."""

from collections.abc import Iterator

from tasks.checkout.checkout import Checkout
from tasks.checkout.files import read_record
from tasks.checkout.log import warn
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


def is_erased(checkout: Checkout, weights: Sha256) -> bool:
    """Tell whether a purge has erased a model that the parent descends from.

    Args:
        checkout: The checkout, with the records of its purges. Anybody can write one: a model that is here
            was not erased, whatever a record says.
        weights: The digest of the model's weights.

    Returns:
        Whether it has.
    """
    return not checkout.generation("models", weights).is_dir() and any(
        weights in one.models for one in purges(checkout)
    )


def refuse_erased(checkout: Checkout, certified: DeletionCertificate) -> None:
    """Refuse to run a deletion again whose inputs are shown to be erased.

    A record of a purge that nothing stands behind is only told of.

    Args:
        checkout: The checkout, with the records of its purges.
        certified: The deletion.

    Raises:
        ErasedError: If a verified inventory shows that the data or the model that it began from is erased;
            says when.
    """
    wanted = {certified.data.before, certified.models.parent}
    for found in purges(checkout):
        if not wanted & {*found.data, *found.models}:
            continue
        shown = absence_shown(checkout, found) if found.proved else "no inventory stands yet"
        if isinstance(shown, Inventory) and wanted & {*shown.data, *shown.models}:
            raise ErasedError(
                f"the data and the models that request {certified.request.id} began from were erased on "
                f"{shown.finished[:10]} by the purge of request {found.request}, and the inventory "
                f"{checkout.inventory(found.request)} ({found.inventory}) shows it: the deletion cannot be "
                "run again. Its certificate stays valid"
            )
        warn(
            f"a record of the purge of request {found.request} says that what this deletion began from is "
            "erased, which anybody can write; it is run again if everything is there"
        )


def find_plan(checkout: Checkout, request_id: str) -> PurgePlan | None:
    """Return the plan of a purge; None if there is none, or its inventory stands."""
    path = checkout.purge_plan(request_id)
    return read_record(path, PurgePlan) if path.is_file() else None
