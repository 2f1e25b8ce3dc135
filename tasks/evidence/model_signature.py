"""``model.sig``: a released model's files, signed as OpenSSF's model signing has it, method *key*.

A Sigstore bundle around a DSSE envelope around an in-toto statement that lists every file of the model::

    model_signing verify key models/unlearned --signature evidence/REQUEST/model.sig --public_key release.pub

The same model and key give the same bytes (RFC 6979). The library itself is not needed to sign: it brings
fourteen packages for clients of a transparency log, which a deletion must not talk to.
"""

import base64
import hashlib
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.hashes import SHA256

from tasks.checkout.files import file_digest
from tasks.keys.releasing import release_pem
from unlearn_core.audit.envelope import PAYLOAD_TYPE, pae
from unlearn_core.records.base import canonical_json
from unlearn_core.records.in_toto import STATEMENT_TYPE

MODEL_SIGNATURE = "model.sig"
PREDICATE = "https://model_signing/signature/v1.0"
BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json"


def sign_model(folder: Path, key: EllipticCurvePrivateKey) -> bytes:
    """Sign all files of a model.

    Args:
        folder: The model's folder.
        key: The release key.

    Returns:
        The content of ``model.sig``.
    """
    payload = canonical_json(_statement(folder))
    signature = key.sign(pae(payload), ECDSA(SHA256(), deterministic_signing=True))
    hint = hashlib.sha256(release_pem(key.public_key())).hexdigest()
    envelope = {
        "payload": base64.b64encode(payload).decode(),
        "payloadType": PAYLOAD_TYPE,
        "signatures": [{"keyid": "", "sig": base64.b64encode(signature).decode()}],
    }
    material = {"publicKey": {"hint": hint}, "tlogEntries": []}
    bundle = {"mediaType": BUNDLE, "verificationMaterial": material, "dsseEnvelope": envelope}
    return canonical_json(bundle) + b"\n"


def _statement(folder: Path) -> dict[str, Any]:
    """List a model's files; the subject is the digest of all their digests."""
    files = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    names = sorted({*files} - {MODEL_SIGNATURE})
    digests = {name: file_digest(folder / name).removeprefix("sha256:") for name in names}
    root = hashlib.sha256(b"".join(map(bytes.fromhex, digests.values()))).hexdigest()
    serialization = {
        "method": "files",
        "hash_type": "sha256",
        "allow_symlinks": False,
        "ignore_paths": [MODEL_SIGNATURE],  # whoever passes the model on may put it into its folder
    }
    resources = [{"name": name, "algorithm": "sha256", "digest": one} for name, one in digests.items()]
    return {
        "_type": STATEMENT_TYPE,
        "subject": [{"name": folder.name, "digest": {"sha256": root}}],
        "predicateType": PREDICATE,
        "predicate": {"serialization": serialization, "resources": resources},
    }
