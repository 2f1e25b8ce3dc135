"""Evidence that another machine's worker made: fetched from the store, and verified before it is kept."""

from tasks.checkout.checkout import Checkout
from tasks.checkout.files import write_atomically, write_record
from tasks.evidence.stored import MANIFEST, read_evidence_manifest, read_files, verify_stored
from tasks.storage.object_store import find_store
from unlearn_core.errors import EvidenceError
from unlearn_core.records.report import ReportFacts


def fetch_evidence(checkout: Checkout, request_id: str) -> None:
    """Bring a served request's evidence here, if it is not here and the store has it.

    Args:
        checkout: The checkout.
        request_id: The request's id.

    Raises:
        EvidenceError: If what the store has is false, or of several certificates, of which a person chooses.
    """
    name, store = checkout.params.registry.model, find_store()
    if store is None or checkout.released(request_id).is_file():
        return
    verify_stored(store, name, request_id)
    place, mark = f"{name}/{request_id}/", f"/{MANIFEST}"
    folders = [key.removesuffix(mark) for key in store.list(place) if key.endswith(mark)]
    if len(folders) != 1:
        raise EvidenceError(f"the store has {len(folders)} certificates of request {request_id!r}")
    if (manifest := read_evidence_manifest(store, folders[0])) is None:
        raise EvidenceError(f"{store.address(folders[0])} was removed in the meantime")
    contents = read_files(store, folders[0], manifest)
    facts = checkout.report_facts(request_id)
    # What else is listed there is not needed here; a manifest is not signed, so it may name no other file.
    for path in (checkout.certificate(request_id), checkout.approval(request_id), facts):
        if (content := contents.get(path.name)) is not None:
            write_atomically(path, content)
    released = ReportFacts.parse(contents.get(facts.name) or b"").released
    if released is not None:
        write_record(checkout.released(request_id), released)
