"""Evidence in S3, without a checkout: whoever may read the bucket can verify it."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from tasks.checkout.checkout import CERTIFICATE
from tasks.checkout.environment import now
from tasks.evidence.anchoring import believed_authorities, read_stamp, require_after, stamp_of
from tasks.evidence.dating import predates_approval
from tasks.keys.signing import verify_signature
from tasks.keys.trust import trusted_keys
from tasks.storage.object_store import ObjectStore
from unlearn_core.errors import ConfigurationError, EvidenceError
from unlearn_core.records.approval import Approval
from unlearn_core.records.base import Sha256, sha256
from unlearn_core.records.certificate import DeletionCertificate
from unlearn_core.records.evidence import EvidenceManifest
from unlearn_core.records.request import RequestId

MANIFEST, APPROVAL = "manifest.json", "approval.json"

Contents = Mapping[str, bytes | None]
"""Files by their paths below a folder; None for a missing file."""


def verify_stored(store: ObjectStore, model: str, request: RequestId) -> tuple[DeletionCertificate, ...]:
    """Verify all evidence of a request that is complete in the store.

    Args:
        store: The store.
        model: The registered model's name.
        request: The request's id.

    Returns:
        The certificates; more than one if the request was certified again.

    Raises:
        EvidenceError: If there is none, or any of it is altered, false or not signed by a trusted key.
        SetupError: If no key is trusted, or the store cannot be used.
    """
    place, keys = f"{model}/{request}/", trusted_keys()
    folders = [key.removesuffix(f"/{MANIFEST}") for key in store.list(place) if key.endswith(f"/{MANIFEST}")]
    if not folders:
        raise EvidenceError(f"{store.address(place)} holds no complete evidence")
    return tuple(_verify(store, folder, request, keys) for folder in folders)


def _verify(
    store: ObjectStore, folder: str, request: RequestId, keys: Mapping[Sha256, Ed25519PublicKey]
) -> DeletionCertificate:
    """Verify what one manifest lists."""
    where = store.address(folder)
    if (manifest := read_evidence_manifest(store, folder)) is None:
        raise EvidenceError(f"{where}/{MANIFEST} was removed in the meantime")
    contents = read_files(store, folder, manifest)
    if wrong := list(altered(manifest, contents)):
        raise EvidenceError(f"the evidence in {where} is not what was stored: {'; '.join(wrong)}")
    certified, _ = verify_signed(contents, manifest, keys, where=where)
    if certified.request.id != request:
        raise EvidenceError(f"the evidence in {where} is about request {certified.request.id}")
    _require_true_stamp(store, folder, contents[CERTIFICATE] or b"", certified)
    return certified


def _require_true_stamp(
    store: ObjectStore, folder: str, signed: bytes, certified: DeletionCertificate
) -> None:
    """Refuse a false time stamp, where an authority is believed; there need not be one."""
    if not (authorities := believed_authorities()):
        return
    if (stamp := store.read(f"{folder}/{stamp_of(Path(CERTIFICATE)).name}")) is not None:
        anchor = read_stamp(stamp, signed, authorities)
        require_after(anchor, certified.provenance.finished, now=now())


def read_evidence_manifest(store: ObjectStore, folder: str) -> EvidenceManifest | None:
    """Return the manifest of a folder, or None if there is none.

    Args:
        store: The store.
        folder: The folder, below the store's prefix.

    Returns:
        The manifest.

    Raises:
        EvidenceError: If the object is not a manifest.
    """
    path = f"{folder}/{MANIFEST}"
    if (raw := store.read(path)) is None:
        return None
    try:
        return EvidenceManifest.parse(raw)
    except ConfigurationError as error:
        raise EvidenceError(f"{store.address(path)} is not a manifest: {error}") from error


def read_files(store: ObjectStore, folder: str, manifest: EvidenceManifest) -> Contents:
    """Read back what a manifest lists."""
    return {entry.path: store.read(f"{folder}/{entry.path}") for entry in manifest.files}


def altered(manifest: EvidenceManifest, contents: Contents) -> Iterator[str]:
    """Yield what is wrong with the objects, according to the manifest beside them."""
    for entry in manifest.files:
        if (content := contents[entry.path]) is None:
            yield f"{entry.path} is missing from the store"
        elif (len(content), sha256(content)) != (entry.size, entry.sha256):
            yield f"{entry.path} was altered there: {sha256(content)}, its manifest says {entry.sha256}"


def verify_signed(
    contents: Contents, manifest: EvidenceManifest, keys: Mapping[Sha256, Ed25519PublicKey], *, where: str
) -> tuple[DeletionCertificate, Sha256]:
    """Verify the certificate among some files, and compare it with the manifest that lists them.

    Args:
        contents: The files.
        manifest: The manifest, which is not signed.
        keys: The trusted keys.
        where: The folder's address, for messages.

    Returns:
        The certificate, and the id of the key that signed it.

    Raises:
        EvidenceError: If the certificate is false, or the manifest contradicts it.
    """
    raw = contents.get(CERTIFICATE)
    if raw is None or sha256(raw) != manifest.certificate:
        raise EvidenceError(f"the manifest in {where} is not about the certificate beside it")
    statement, signer = verify_signature(raw, keys)
    if wrong := list(_contradicted(statement.predicate, manifest, contents)):
        raise EvidenceError(f"the evidence in {where} contradicts its certificate in {', '.join(wrong)}")
    return statement.predicate, signer


def _contradicted(
    certified: DeletionCertificate, manifest: EvidenceManifest, contents: Contents
) -> Iterator[str]:
    """Yield where files contradict a certificate, whose signature covers these digests."""
    signed = {
        "coverage.json": certified.coverage.full,
        "policy.json": certified.judgement.verdict.policy,
        APPROVAL: certified.approval,
    }
    yield from (one.path for one in manifest.files if signed.get(one.path, one.sha256) != one.sha256)
    raw = contents.get(APPROVAL)
    if (
        raw
        and sha256(raw) == certified.approval
        and (why := predates_approval(certified, Approval.parse(raw)))
    ):
        yield f"{APPROVAL} ({why})"
    if (manifest.request, manifest.model) != (certified.request.id, certified.models.unlearned):
        yield "request and model"
