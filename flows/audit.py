"""All evidence at once: the ledger's chain, and the evidence of every completed request."""

from pathlib import Path

from flows.submit import open_ledger
from flows.verify import NOT_COMPARED, VERIFIED, CheckedCertificate, verify_release
from tasks.evidence.stored import verify_stored
from tasks.evidence.verification import verify_bytes
from tasks.keys.signing import read_certificate
from tasks.lifecycle.projects import find_project
from tasks.requests.ledger.ledger import Ledger
from tasks.storage.object_store import ObjectStore, find_store
from unlearn_core.errors import EvidenceError
from unlearn_core.records.certificate import DeletionCertificate
from unlearn_core.records.ledger import Entry


def audit(folder: Path) -> list[CheckedCertificate]:
    """Verify the ledger, then every completed request's evidence: in the bucket, else in its checkout.

    Args:
        folder: Where the worker was started.

    Returns:
        One entry per completed request: the request, its model, and ``verified`` or what is wrong.

    Raises:
        EvidenceError: If the ledger was changed.
    """
    ledger, store = open_ledger(folder), find_store()
    ledger.verify()
    return [_check(folder, ledger, store, entry) for entry in ledger.entries(state="completed")]


def _check(folder: Path, ledger: Ledger, store: ObjectStore | None, entry: Entry) -> CheckedCertificate:
    """Verify one request's evidence; a fault is a result, not an error."""
    result = VERIFIED
    try:
        for certificate in _certificates(folder, store, entry):
            if certificate.ledger is not None:
                ledger.require_event(certificate.ledger, by=certificate.provenance.finished)
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
