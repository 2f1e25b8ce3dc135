"""What of a deletion is kept in an evidence store."""

from typing import Literal

from pydantic import Field

from unlearn_core.records.base import Record, Sha256
from unlearn_core.records.request import RequestId


class StoredFile(Record):
    """One file: its path below the manifest's folder, its length in bytes, and its digest."""

    path: str = Field(min_length=1)
    size: int = Field(ge=0)
    sha256: Sha256


class EvidenceManifest(Record):
    """All that belongs to one certificate; it is written last, so evidence with a manifest is complete.

    ``registered_model`` is the name in the registry, ``model`` the digest of the weights, ``certificate``
    that of the certificate file. It holds no time: the same evidence has the same manifest.
    """

    schema_version: Literal["lethe.evidence/1"] = "lethe.evidence/1"
    request: RequestId
    registered_model: str
    model: Sha256
    certificate: Sha256
    files: tuple[StoredFile, ...] = Field(min_length=1)


class Stored(Record):
    """What a push or a verification found in the store.

    ``sent`` names the files that were not there before; ``locked_until`` says until when, and in which mode
    of Object Lock, nobody may delete the manifest. ``signed_by`` is the key of the verified certificate.
    """

    request: RequestId
    location: str
    files: int
    sent: tuple[str, ...] = ()
    locked_until: str | None = None
    signed_by: Sha256 | None = None
