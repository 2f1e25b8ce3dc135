"""A released model's bill of materials (CycloneDX 1.6): what it is made from, and what was removed.

It is for programs that take stock of models and know nothing of Lethe; all of it follows from the certificate
and the registry, so the same release has the same bytes. It names digests and nobody.

Its model cards are not in CycloneDX's library for Python, whose validator the tests use.
"""

import uuid
from collections.abc import Mapping
from typing import Any

from unlearn_core.records.base import Sha256, canonical_json
from unlearn_core.records.certificate import PREDICATE_TYPE, DeletionCertificate

BILL_OF_MATERIALS = "bom.cdx.json"
_MODEL = "machine-learning-model"


def write_bill(certified: DeletionCertificate, certificate: Sha256, *, name: str, version: int) -> bytes:
    """Return a released model's bill of materials.

    Args:
        certified: The certificate of the deletion that made it.
        certificate: The digest of the certificate's file.
        name: The registered model's name.
        version: Its version.

    Returns:
        Canonical JSON.
    """
    bill = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": uuid.uuid5(uuid.NAMESPACE_URL, f"{PREDICATE_TYPE}#{certificate}").urn,
        "version": 1,
        "metadata": {
            "timestamp": certified.provenance.finished,
            "component": _model(certified, certificate, name, version),
        },
        "components": [_data(certified)],
        "dependencies": [{"ref": "model", "dependsOn": ["data"]}, {"ref": "data"}],
    }
    return canonical_json(bill) + b"\n"


def _model(certified: DeletionCertificate, certificate: Sha256, name: str, version: int) -> dict[str, Any]:
    """Describe the model, what it came from, and what was removed on the way."""
    request, verdict, method = certified.request, certified.judgement.verdict, str(certified.method["name"])
    removed = {
        "request": request.id,
        "request.names": request.kind,
        "request.scope": request.scope,
        "group": certified.group and certified.group.id,
        "method": method,
        "shown": verdict.shown_of(method),
        "evidence": verdict.level,
        "policy": verdict.policy,
        "certificate": certificate,
    }
    parent = {"type": _MODEL, "bom-ref": "parent", "name": name, **_hashed(certified.models.parent)}
    notes = (
        f"Made from its ancestor by {method}, which had it forget what request {request.id} names, "
        f"{request.kind} by digest. What that shows and what it does not is in the certificate."
    )
    return {
        "type": _MODEL,
        "bom-ref": "model",
        "name": name,
        "version": str(version),
        **_hashed(certified.models.unlearned),
        "pedigree": {"ancestors": [parent], "notes": notes},
        "modelCard": {
            "modelParameters": {
                "approach": {"type": "supervised"},
                "task": "classification",
                "datasets": [{"ref": "data"}],
            }
        },
        "properties": _properties(removed),
    }


def _data(certified: DeletionCertificate) -> dict[str, Any]:
    """Describe the data that the model is to be as if trained on, and the data before."""
    trees = certified.manifest
    about = {
        "rows.digest": certified.data.retained,
        "rows.digest.before": certified.data.before,
        "training.rows": trees and trees.after.size,
        "training.rows.before": trees and trees.before.size,
    }
    return {
        "type": "data",
        "bom-ref": "data",
        "name": f"the data without what request {certified.request.id} names",
        "data": [{"type": "dataset"}],
        "properties": _properties(about),
    }


def _hashed(digest: Sha256) -> dict[str, Any]:
    return {"hashes": [{"alg": "SHA-256", "content": digest.removeprefix("sha256:")}]}


def _properties(values: Mapping[str, object]) -> list[dict[str, str]]:
    """Return what is known, under Lethe's own prefix, as CycloneDX asks for."""
    return [{"name": f"lethe:{name}", "value": str(one)} for name, one in values.items() if one is not None]
