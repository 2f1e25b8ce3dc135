"""Where a result came from: the code, the libraries, the machine, the seeds and the time."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from unlearn_core.records.base import Record, Sha256, UtcTime

GitCommit = Annotated[str, StringConstraints(pattern=r"^([0-9a-f]{40}|[0-9a-f]{64})$")]
"""A full commit id, SHA-1 or SHA-256."""


ExtensionKind = Literal["method", "metric", "source"]


class Extension(Record):
    """A part of a result that is not Lethe's own: which package it comes from, and the digest of its code.

    ``name`` is the name that it is requested by; ``code`` covers every file of the package.
    """

    kind: ExtensionKind
    name: str
    package: str
    version: str
    code: Sha256

    def __str__(self) -> str:
        return f"{self.kind} {self.name} of {self.package} {self.version}"


class Provenance(Record):
    """What is needed to run it again, and nothing that names a person or a machine.

    ``dirty`` says that the working tree held changes that ``commit`` does not; without a commit nothing
    pins the code, so it is True. ``constraints`` is the digest of the pinned requirements. ``versions`` maps
    a package's name to its version, Lethe's own among them, and ``code`` is the digest of Lethe's code, which
    the first certificates do not have; ``seeds`` maps what was seeded to its seed.
    """

    schema_version: Literal["lethe.provenance/1"] = "lethe.provenance/1"
    commit: GitCommit | None
    dirty: bool
    constraints: Sha256 | None
    versions: dict[str, str]
    code: Sha256 | None = Field(default=None, exclude_if=lambda code: code is None)
    platform: str
    device: str
    threads: int = Field(ge=1)
    seeds: dict[str, int]
    started: UtcTime
    finished: UtcTime
