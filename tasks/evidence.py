"""The evidence of a deletion in S3: what of it goes there, and whether it is there still.

::

    PREFIX/MODEL/REQUEST/CERTIFICATE/certificate.dsse.json   stored before the model is promoted
                                    /report.html, …          stored once all is written
                                    /manifest.json           stored last: what has one is complete

``CERTIFICATE`` is the beginning of the certificate's digest: whoever signs anew, stores anew, and nothing is
ever written over.
"""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor

from tasks.evidence_bundle import Bundle, folder_of, gather_bundle
from tasks.keys import public_keys_in, trust_folder
from tasks.layout import CERTIFICATE, Layout
from tasks.object_store import ObjectStore, find_store
from tasks.params import read_section
from tasks.signing import read_certificate, verify
from unlearn_core.errors import ConfigurationError, EvidenceError, SetupError
from unlearn_core.records.base import sha256
from unlearn_core.records.certificate import DeletionCertificate
from unlearn_core.records.evidence import EvidenceManifest, Stored, StoredFile
from unlearn_core.records.params import RegistryParams

MANIFEST = "manifest.json"
AT_ONCE = 8


def require_store() -> ObjectStore:
    """Return the configured store.

    Raises:
        SetupError: If none is.
    """
    if (store := find_store()) is None:
        raise SetupError("no evidence store is configured; set LETHE_S3_BUCKET (docs/evidence-store.md)")
    return store


def store_certificate(layout: Layout, request_id: str) -> None:
    """Store a certificate before its model is promoted, where a store is configured.

    So no model is in use whose certificate could not be stored, and a wrong bucket or a missing permission
    shows while nothing has changed.

    Args:
        layout: The checkout; the certificate is signed, and nothing is registered yet.
        request_id: The request's id.
    """
    if (store := find_store()) is None:
        return
    certificate = read_certificate(layout.certificate(request_id))
    name = read_section(layout.root, "registry", RegistryParams).model
    store.write_once(f"{folder_of(name, request_id, sha256(certificate))}/{CERTIFICATE}", certificate)


def push_evidence(layout: Layout, request_id: str) -> Stored:
    """Store what is not stored yet of a request's evidence, the manifest last.

    Args:
        layout: The checkout.
        request_id: The request's id.

    Returns:
        Where it is, and what had to be sent.

    Raises:
        EvidenceError: If other bytes are there under the same name; they stay.
        SetupError: If the evidence here is not complete, the store cannot be used, or it did not lock what
            it was told to lock.
    """
    store, bundle = require_store(), gather_bundle(layout, request_id)
    # The manifest says that all the rest is there.
    manifest = {MANIFEST: bundle.manifest.canonical()}
    sent = (*_send(store, bundle.folder, bundle.contents), *_send(store, bundle.folder, manifest))
    locked_until = store.locked_until(f"{bundle.folder}/{MANIFEST}")
    if store.retain_days is not None and sent and locked_until is None:
        raise SetupError(
            f"{store.address(bundle.folder)} is stored, but the store did not lock it as "
            "LETHE_S3_RETAIN_DAYS asks; take one with Object Lock, or let s3:GetObjectRetention show the lock"
        )
    return Stored(
        request=request_id,
        location=store.address(bundle.folder),
        files=len(bundle.contents) + 1,
        sent=sent,
        locked_until=locked_until,
    )


def _send(store: ObjectStore, folder: str, contents: Mapping[str, bytes]) -> tuple[str, ...]:
    """Let all of some files be in the store, several at a time; return which had to be sent."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        sent = pool.map(lambda path: store.write_once(f"{folder}/{path}", contents[path]), contents)
        return tuple(path for path, was_sent in zip(contents, sent, strict=True) if was_sent)


def push_missing(layout: Layout, request_id: str) -> None:
    """Complete the evidence of a request in the store, if one is configured and it is not complete there.

    Args:
        layout: The checkout.
        request_id: The request's id.
    """
    if (store := find_store()) is None:
        return
    bundle = gather_bundle(layout, request_id)
    if store.read(f"{bundle.folder}/{MANIFEST}") is None:
        push_evidence(layout, request_id)


def verify_evidence(layout: Layout, request_id: str) -> Stored:
    """Read a request's evidence back, and hold it against its manifest, the files here and the certificate.

    Args:
        layout: The checkout.
        request_id: The request's id.

    Returns:
        Where it is, and who signed the certificate.

    Raises:
        EvidenceError: If anything is missing or altered, there or here; all of it is listed.
        SetupError: If the evidence here is not complete, no key is trusted, or the store cannot be used.
    """
    store, bundle = require_store(), gather_bundle(layout, request_id)
    if not (keys := public_keys_in(trust_folder())):
        raise SetupError(f"no key is trusted; put the issuer's in {trust_folder()}")
    where = store.address(bundle.folder)
    manifest = _read_manifest(store, bundle)
    contents = {entry.path: store.read(f"{bundle.folder}/{entry.path}") for entry in manifest.files}
    if wrong := [*altered(manifest, contents), *_different(manifest, bundle.manifest)]:
        lines = "\n".join(f"  {line}" for line in wrong)
        raise EvidenceError(f"the evidence in {where} is not what was stored:\n{lines}")
    statement, signer = verify(bundle.contents[CERTIFICATE], keys)
    if wrong := list(contradicted(statement.predicate, bundle.manifest)):
        raise EvidenceError(f"the evidence in {where} contradicts its certificate in {', '.join(wrong)}")
    return Stored(
        request=request_id,
        location=where,
        files=len(contents) + 1,
        locked_until=store.locked_until(f"{bundle.folder}/{MANIFEST}"),
        signed_by=signer,
    )


def _read_manifest(store: ObjectStore, bundle: Bundle) -> EvidenceManifest:
    raw = store.read(f"{bundle.folder}/{MANIFEST}")
    where = store.address(f"{bundle.folder}/{MANIFEST}")
    if raw is None:
        raise EvidenceError(
            f"{where} is missing: the evidence was never stored completely, or was removed; "
            f"`lethe evidence push {bundle.manifest.request}` stores what is missing"
        )
    try:
        return EvidenceManifest.parse(raw)
    except ConfigurationError as error:
        raise EvidenceError(f"{where} is no manifest: {error}") from error


def altered(manifest: EvidenceManifest, contents: Mapping[str, bytes | None]) -> Iterator[str]:
    """Yield what is wrong with the objects, by the manifest beside them."""
    for entry in manifest.files:
        if (content := contents[entry.path]) is None:
            yield f"{entry.path} is missing from the store"
        elif (len(content), sha256(content)) != (entry.size, entry.sha256):
            yield f"{entry.path} was altered there: {sha256(content)}, its manifest says {entry.sha256}"


def _different(there: EvidenceManifest, here: EvidenceManifest) -> Iterator[str]:
    """Yield what the store's manifest lists otherwise than the files here would."""
    for path in sorted({entry.path for entry in (*there.files, *here.files)}):
        listed = [next((one for one in m.files if one.path == path), None) for m in (there, here)]
        if listed[0] != listed[1]:
            yield f"{path} differs: {_digest(listed[0])} in the store's manifest, {_digest(listed[1])} here"
    if there.model_copy(update={"files": here.files}) != here:
        yield f"{MANIFEST} is about another deletion than the certificate here"


def _digest(entry: StoredFile | None) -> str:
    return "missing" if entry is None else entry.sha256


def contradicted(certified: DeletionCertificate, manifest: EvidenceManifest) -> Iterator[str]:
    """Yield in what a manifest says other than a certificate, whose signature covers these digests."""
    signed = {
        "coverage.json": certified.coverage.full,
        "policy.json": certified.judgement.verdict.policy,
        "approval.json": certified.approval,
    }
    yield from (one.path for one in manifest.files if signed.get(one.path, one.sha256) != one.sha256)
    if (manifest.request, manifest.model) != (certified.request.id, certified.models.unlearned):
        yield "request and model"
