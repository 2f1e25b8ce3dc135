"""The evidence of a deletion in S3: what is stored, and whether it is still there.

::

    PREFIX/MODEL/REQUEST/CERTIFICATE/certificate.dsse.json   stored before the model is promoted
                                    /report.html, …          stored once all is written
                                    /manifest.json           stored last: it marks a complete folder
                                    /certificate.tsr, …      what attests the certificate, also later

``CERTIFICATE`` is the start of the certificate's digest: a new signature gets a new folder, and nothing is
ever overwritten.
"""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor

from tasks.checkout.checkout import CERTIFICATE, PAGE, Checkout, short
from tasks.checkout.regular import read_regular
from tasks.evidence.attestation import beside
from tasks.evidence.bundle import folder_of, gather_bundle
from tasks.evidence.stored import MANIFEST, altered, read_evidence_manifest, read_files, verify_signed
from tasks.keys.signing import read_certificate
from tasks.keys.trust import trusted_keys
from tasks.storage.object_store import ObjectStore, find_store
from unlearn_core.errors import EvidenceError, SetupError
from unlearn_core.records.base import sha256
from unlearn_core.records.evidence import EvidenceManifest, Stored, StoredFile

AT_ONCE = 8


def require_store() -> ObjectStore:
    """Return the configured store.

    Raises:
        SetupError: If none is configured.
    """
    if (store := find_store()) is None:
        raise SetupError("no evidence store is configured; set LETHE_S3_BUCKET (docs/evidence-store.md)")
    return store


def store_certificate(checkout: Checkout, request_id: str) -> None:
    """Store a certificate before its model is promoted, if a store is configured.

    So no model is in use whose certificate could not be stored, and a wrong bucket or a missing permission
    shows before anything has changed.

    Args:
        checkout: The checkout; the certificate is signed, and nothing is registered yet.
        request_id: The request's id.
    """
    if (store := find_store()) is None:
        return
    certificate = read_certificate(checkout.certificate(request_id))
    name = checkout.params.registry.model
    store.write_once(f"{folder_of(name, request_id, sha256(certificate))}/{CERTIFICATE}", certificate)


def push_evidence(checkout: Checkout, request_id: str) -> Stored:
    """Store what is missing of a request's evidence, the manifest last.

    Args:
        checkout: The checkout.
        request_id: The request's id.

    Returns:
        Where it is, and what was sent.

    Raises:
        EvidenceError: If an object has the same name and other bytes; they stay.
        SetupError: If the local evidence is not complete, or the store cannot be used or did not lock what it
            was told to lock.
    """
    store, bundle = require_store(), gather_bundle(checkout, request_id)
    # The manifest tells that all the rest is stored. It does not list what may come later: time stamps and
    # witnesses' signatures, which prove themselves.
    manifest = {MANIFEST: bundle.manifest.canonical()}
    everything = {**bundle.contents, **_attesting(checkout, request_id)}
    sent = (*_send(store, bundle.folder, everything), *_send(store, bundle.folder, manifest))
    locked_until = store.locked_until(f"{bundle.folder}/{MANIFEST}")
    if store.retain_days is not None and sent and locked_until is None:
        raise SetupError(
            f"{store.address(bundle.folder)} is stored, but the store did not lock it as "
            "LETHE_S3_RETAIN_DAYS asks; use one with Object Lock, or let s3:GetObjectRetention show the lock"
        )
    return Stored(
        request=request_id,
        location=store.address(bundle.folder),
        files=len(everything) + 1,
        sent=sent,
        locked_until=locked_until,
    )


def _send(store: ObjectStore, folder: str, contents: Mapping[str, bytes]) -> tuple[str, ...]:
    """Store some files, several at a time, unless they are stored; return which were sent."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        sent = pool.map(lambda path: store.write_once(f"{folder}/{path}", contents[path]), contents)
        return tuple(path for path, was_sent in zip(contents, sent, strict=True) if was_sent)


def push_missing(checkout: Checkout, request_id: str) -> None:
    """Complete the evidence of a request in the store, if one is configured."""
    if (store := find_store()) is None:
        return
    bundle = gather_bundle(checkout, request_id)
    if store.read(f"{bundle.folder}/{MANIFEST}") is None:
        push_evidence(checkout, request_id)


def push_if_stored(checkout: Checkout, request_id: str) -> None:
    """Store what has been added to the evidence of a request that the store holds, if one is configured."""
    if (store := find_store()) is not None:
        folder = gather_bundle(checkout, request_id).folder
        if store.read(f"{folder}/{MANIFEST}") is not None:
            push_evidence(checkout, request_id)


def store_inventory(checkout: Checkout, request_id: str) -> None:
    """Store the inventory of a purge beside the certificate that it is about, if a store is configured."""
    if (store := find_store()) is not None:
        certificate, path = read_certificate(checkout.certificate(request_id)), checkout.inventory(request_id)
        folder = folder_of(checkout.params.registry.model, request_id, sha256(certificate))
        raw = read_regular(path)
        # One that is not complete is followed by others, and nothing that is stored is overwritten.
        store.write_once(f"{folder}/{path.name.replace('.', f'-{short(sha256(raw))}.', 1)}", raw)


def verify_evidence(checkout: Checkout, request_id: str) -> Stored:
    """Read a request's evidence back, and compare it with its manifest, the local files and the certificate.

    Args:
        checkout: The checkout.
        request_id: The request's id.

    Returns:
        Where it is, and who signed the certificate.

    Raises:
        EvidenceError: If anything is missing or altered, there or here; everything is listed.
        SetupError: If the local evidence is not complete, no key is trusted, or the store cannot be used.
    """
    store, bundle, keys = require_store(), gather_bundle(checkout, request_id), trusted_keys()
    where = store.address(bundle.folder)
    if (manifest := read_evidence_manifest(store, bundle.folder)) is None:
        raise EvidenceError(
            f"{where}/{MANIFEST} is missing: the evidence was never stored completely, or was removed; "
            f"`lethe evidence push {request_id}` stores what is missing"
        )
    contents, attesting = read_files(store, bundle.folder, manifest), _attesting(checkout, request_id)
    absent = [name for name, kept in attesting.items() if store.read(f"{bundle.folder}/{name}") != kept]
    # A purge writes the page again, with what was erased.
    again = {PAGE} if checkout.purge_record(request_id).is_file() else set[str]()
    if wrong := [
        *altered(manifest, contents),
        *_different(manifest, bundle.manifest, but=again),
        *(f"{name} is missing from the store, or differs from the one here" for name in absent),
    ]:
        lines = "\n".join(f"  {line}" for line in wrong)
        raise EvidenceError(f"the evidence in {where} is not what was stored:\n{lines}")
    _, signer = verify_signed(contents, manifest, keys, where=where)
    return Stored(
        request=request_id,
        location=where,
        files=len(contents) + len(attesting) + 1,
        locked_until=store.locked_until(f"{bundle.folder}/{MANIFEST}"),
        signed_by=signer,
    )


def _attesting(checkout: Checkout, request_id: str) -> dict[str, bytes]:
    """Return the time stamp and the witnesses' signatures of a request's certificate, by their names."""
    return {path.name: read_regular(path) for path in beside(checkout.certificate(request_id))}


def _different(there: EvidenceManifest, here: EvidenceManifest, *, but: set[str]) -> Iterator[str]:
    """Yield where the store's manifest differs from that of the local files, but for some files."""
    for path in sorted({entry.path for entry in (*there.files, *here.files)} - but):
        listed = [next((one for one in m.files if one.path == path), None) for m in (there, here)]
        if listed[0] != listed[1]:
            yield f"{path} differs: {_digest(listed[0])} in the store's manifest, {_digest(listed[1])} here"
    if there.model_copy(update={"files": here.files}) != here:
        yield f"{MANIFEST} is about a different deletion than the certificate here"


def _digest(entry: StoredFile | None) -> str:
    return "missing" if entry is None else entry.sha256
