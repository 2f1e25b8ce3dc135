"""Evidence in S3 without a checkout at hand: whoever may read the bucket can verify it."""

from tasks.evidence import MANIFEST, altered, contradicted
from tasks.keys import public_keys_in, trust_folder
from tasks.layout import CERTIFICATE
from tasks.object_store import ObjectStore
from tasks.signing import verify
from unlearn_core.errors import ConfigurationError, EvidenceError, SetupError
from unlearn_core.records.base import sha256
from unlearn_core.records.certificate import DeletionCertificate
from unlearn_core.records.evidence import EvidenceManifest
from unlearn_core.records.request import RequestId


def verify_stored(store: ObjectStore, model: str, request: RequestId) -> tuple[DeletionCertificate, ...]:
    """Verify all evidence of a request that is complete in the store.

    Args:
        store: The store.
        model: The registered model's name.
        request: The request's id.

    Returns:
        What the certificates say; more than one if the request was certified anew.

    Raises:
        EvidenceError: If there is none, or any of it is altered, false or not signed by a trusted key.
        SetupError: If no key is trusted, or the store cannot be used.
    """
    place = f"{model}/{request}/"
    manifests = [key for key in store.list(place) if key.endswith(f"/{MANIFEST}")]
    if not manifests:
        raise EvidenceError(f"{store.address(place)} holds no complete evidence")
    return tuple(_verify(store, key.removesuffix(f"/{MANIFEST}"), request) for key in manifests)


def _verify(store: ObjectStore, folder: str, request: RequestId) -> DeletionCertificate:
    """Verify what one manifest lists."""
    if not (keys := public_keys_in(trust_folder())):
        raise SetupError(f"no key is trusted; put the issuer's in {trust_folder()}")
    where = store.address(folder)
    try:
        manifest = EvidenceManifest.parse(store.read(f"{folder}/{MANIFEST}") or b"")
    except ConfigurationError as error:
        raise EvidenceError(f"{where}/{MANIFEST} is no manifest: {error}") from error
    contents = {entry.path: store.read(f"{folder}/{entry.path}") for entry in manifest.files}
    if wrong := list(altered(manifest, contents)):
        raise EvidenceError(f"the evidence in {where} is not what was stored: {'; '.join(wrong)}")
    certificate = contents.get(CERTIFICATE)
    if certificate is None or sha256(certificate) != manifest.certificate:
        raise EvidenceError(f"the manifest in {where} is not about the certificate beside it")
    certified = verify(certificate, keys)[0].predicate
    wrong = list(contradicted(certified, manifest))
    if wrong or certified.request.id != request:
        raise EvidenceError(f"the evidence in {where} contradicts its certificate: {', '.join(wrong)}")
    return certified
