"""All evidence at once: the ledger's chain, and what belongs to every request that it says was completed."""

from pathlib import Path

from flows.receiving import open_ledger
from flows.verify import VERIFIED, Checked, verify_release
from tasks.ledger.ledger import Ledger
from tasks.object_store import ObjectStore, find_store
from tasks.projects import open_project
from tasks.stored_evidence import verify_stored
from unlearn_core.errors import EvidenceError
from unlearn_core.records.ledger import Entry


def audit(folder: Path) -> list[Checked]:
    """Verify the ledger, then the evidence of every completed request: in the bucket, else in its checkout.

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


def _check(folder: Path, ledger: Ledger, store: ObjectStore | None, entry: Entry) -> Checked:
    """Verify what belongs to one request; what is wrong is a result."""
    model = entry.submission.model
    if store is None:
        return verify_release(open_project(folder, model).layout.root, entry.id)
    result = VERIFIED
    try:
        for certificate in verify_stored(store, model, entry.id):
            if certificate.ledger is not None:
                ledger.require_event(certificate.ledger)
    except EvidenceError as error:
        result = str(error)
    return {"request": entry.id, "model": model, "result": result}
