"""All evidence at once: the ledger's chain, and the evidence of every completed request."""

from collections.abc import Iterator
from pathlib import Path

from flows.verify import NOT_COMPARED, VERIFIED, CheckedCertificate, verify_release
from tasks.checkout.environment import find_checkout
from tasks.evidence.dating import require_received
from tasks.evidence.heads import gather_heads
from tasks.evidence.stored import verify_stored
from tasks.evidence.verification import verify_bytes
from tasks.keys.signing import read_certificate
from tasks.lifecycle.projects import find_project
from tasks.requests.ledger.finding import open_ledger
from tasks.requests.ledger.ledger import Ledger
from tasks.storage.object_store import ObjectStore, find_store
from unlearn_core.errors import EvidenceError
from unlearn_core.records.certificate import DeletionCertificate
from unlearn_core.records.ledger import Entry


def audit(folder: Path) -> list[CheckedCertificate]:
    """Verify the ledger, then every completed request's evidence: in the bucket, else in its checkout.

    A certificate at hand that names an event which the ledger does not have is told as well, whatever the
    ledger says of its request: that is how a ledger shows that was cut off or rebuilt.

    Args:
        folder: Where the worker was started.

    Returns:
        One entry per completed request, and per such certificate: the request, its model (or where the
        certificate is), and ``verified`` or what is wrong.

    Raises:
        EvidenceError: If the ledger was changed.
    """
    ledger, store = open_ledger(folder), find_store()
    ledger.verify()
    checked = [_check(folder, ledger, store, entry) for entry in ledger.entries(state="completed")]
    return [*checked, *_beyond(folder, ledger, {one["request"] for one in checked})]


def _beyond(folder: Path, ledger: Ledger, known: set[str]) -> Iterator[CheckedCertificate]:
    """Yield what else names an event that the ledger does not have: certificates, and stamped heads."""
    at_hand = gather_heads(find_checkout(folder), shared=True)
    for place, head in at_hand.heads():
        carried = at_hand.certificates.get(place)
        request = "ledger" if carried is None else carried.request.id
        if request not in known and ledger.place_of_event(head) is None:
            result = f"the ledger has no event {head}: it was truncated or rebuilt, or is another one"
            yield {"request": request, "model": place, "result": result}


def _check(folder: Path, ledger: Ledger, store: ObjectStore | None, entry: Entry) -> CheckedCertificate:
    """Verify one request's evidence; a fault is a result, not an error."""
    result = VERIFIED
    try:
        for certificate in _certificates(folder, store, entry):
            if certificate.ledger is not None:
                ledger.require_event(certificate.ledger, by=certificate.provenance.finished)
                require_received(ledger, certificate, None)
    except EvidenceError as error:
        result = str(error)
    return {"request": entry.id, "model": entry.submission.model, "result": result}


def _certificates(folder: Path, store: ObjectStore | None, entry: Entry) -> tuple[DeletionCertificate, ...]:
    """Verify a request's certificates with everything beside them, and return their content."""
    if store is not None:
        return verify_stored(store, entry.submission.model, entry.id)
    checkout = find_project(folder, entry.submission.model).checkout
    # The model of an earlier deletion need not be here any more; its evidence must be.
    if (result := verify_release(checkout, entry.id)["result"]) not in {VERIFIED, NOT_COMPARED}:
        raise EvidenceError(result)
    certified, _ = verify_bytes(read_certificate(checkout.certificate(entry.id)))
    return (certified,)
