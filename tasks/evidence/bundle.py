"""What belongs to a deletion's certificate: files listed by name, so that none is included by accident."""

import json
from dataclasses import dataclass
from typing import Any

from tasks.checkout.checkout import CERTIFICATE, Checkout, short
from tasks.checkout.files import read_record
from tasks.checkout.regular import read_regular
from tasks.evidence.papers import papers_of
from tasks.keys.signing import read_certificate
from unlearn_core.errors import PipelineError, SetupError
from unlearn_core.records.approval import Approval
from unlearn_core.records.base import Sha256, canonical_json, sha256
from unlearn_core.records.evidence import EvidenceManifest, StoredFile
from unlearn_core.records.report import ReportFacts

PSEUDONYM = b"hmac-sha256:"


@dataclass(frozen=True)
class Bundle:
    """The files that belong to one certificate, by path, and the manifest that lists them."""

    manifest: EvidenceManifest
    contents: dict[str, bytes]

    @property
    def folder(self) -> str:
        """Where they go, below the store's prefix."""
        about = self.manifest
        return folder_of(about.registered_model, about.request, about.certificate)


def folder_of(model: str, request_id: str, certificate: Sha256) -> str:
    """Return the folder of a certificate and everything that belongs to it."""
    return f"{model}/{request_id}/{short(certificate)}"


def gather_bundle(checkout: Checkout, request_id: str) -> Bundle:
    """Gather what belongs to a request's certificate from the request's evidence.

    All of it is in ``evidence/REQUEST``, so this works after the checkout has moved on. Records are taken
    from the report's facts as they were written, whatever this version would write today.

    Args:
        checkout: The checkout.
        request_id: The request's id.

    Returns:
        The files and their manifest.

    Raises:
        SetupError: If there is no certificate, or the report beside it is missing or of another one.
        PipelineError: If a file names a sample or a person, even by pseudonym.
    """
    certificate = read_certificate(checkout.certificate(request_id))
    page, kept = checkout.report(request_id), checkout.report_facts(request_id)
    facts = read_regular(kept) if kept.is_file() and page.is_file() else None
    released = None if facts is None else ReportFacts.parse(facts).released
    if facts is None or released is None or released.certificate_digest != sha256(certificate):
        raise SetupError(
            f"the report on request {request_id!r} is missing, or of another certificate; check out the "
            f"commit that it was served in and run `lethe report {request_id}`"
        )
    docs = sorted(checkout.data_docs(request_id).glob("*.html"))
    contents = {
        CERTIFICATE: certificate,
        page.name: read_regular(page),
        kept.name: facts,
        **_records(json.loads(facts)),
        **_approval(checkout, request_id, json.loads(facts)["certificate"].get("approval")),
        **{f"{path.parent.name}/{path.name}": read_regular(path) for path in docs},
        **{path.name: read_regular(path) for path in papers_of(checkout.certificate(request_id))},
    }
    if named := [path for path, content in contents.items() if PSEUDONYM in content]:
        raise PipelineError(
            f"{', '.join(named)} of request {request_id!r} holds a pseudonym; nothing was stored"
        )
    files = tuple(
        StoredFile(path=path, size=len(contents[path]), sha256=sha256(contents[path]))
        for path in sorted(contents)
    )
    manifest = EvidenceManifest(
        request=request_id,
        registered_model=released.registered_model,
        model=released.outcome.model,
        certificate=sha256(certificate),
        files=files,
    )
    return Bundle(manifest, contents)


def _approval(checkout: Checkout, request_id: str, certified: Sha256 | None) -> dict[str, bytes]:
    """Return a person's decision, if the certificate carries the digest of one."""
    path = checkout.approval(request_id)
    return {} if certified is None else {path.name: read_record(path, Approval).canonical()}


def _records(facts: dict[str, Any]) -> dict[str, bytes]:
    """Extract from a report's facts the records that other programs look for."""
    rung = next(rung for rung in facts["deletion"]["rungs"] if rung["accepted"])
    records = {
        "deletion.json": facts["deletion"],
        "outcome.json": facts["released"]["outcome"],
        "coverage.json": rung["unlearning"]["coverage"],
        "policy.json": facts["certificate"]["judgement"]["policy"],
    }
    # The first certificates carry only their policy's digest.
    return {path: canonical_json(record) for path, record in records.items() if record is not None}
