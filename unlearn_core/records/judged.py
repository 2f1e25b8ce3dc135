"""The certificate of a model that Lethe judged and did not make, and the statement that it travels in.

It is of another type than the certificate of a deletion, so that neither can be taken for the other: a reader
of one refuses the bytes of the other.
"""

from typing import Literal, Self, get_args

from pydantic import Field

from unlearn_core.records.base import Record, Sha256
from unlearn_core.records.calibration import CalibratedRequest
from unlearn_core.records.certificate import (
    DataDigests,
    Judgement,
    ValidationSummary,
)
from unlearn_core.records.earlier import AskedAgain
from unlearn_core.records.in_toto import InTotoStatement
from unlearn_core.records.ledger import Reason
from unlearn_core.records.policy import Failing
from unlearn_core.records.provenance import Extension, Provenance
from unlearn_core.records.request import RequestSummary

JUDGED_TYPE = "tag:lethe.example,2025:judged/v1"
"""A tag URI, as that of a certificate."""

Unknown = Literal["not known"]
"""What is said of everything that only the maker of a model knows."""

JudgedEnding = Literal["passes", "fails", "inconclusive"]
"""What came of a judgement: all was shown that was judged, something was shown not to hold, or neither."""


class JudgedModels(Record):
    """The model before, and the one that was handed in.

    ``candidate`` is the file as it came, ``measured`` its weights as they were loaded into the net: the same
    digest where the file holds nothing else, in the same order.
    """

    original: Sha256
    candidate: Sha256
    measured: Sha256


class Net(Record):
    """The net that the weights were loaded into; ``code`` is the digest of a net that is not Lethe's own."""

    name: str
    code: Sha256 | None = Field(default=None, exclude_if=lambda code: code is None)


class HandedIn(Record):
    """Who handed a model in, as the operator wrote it down: it stays with the operator.

    The certificate carries only the digest, which ``salt`` keeps anybody from guessing: without the file
    nobody can learn the name, and once the file is deleted nobody ever will.
    """

    schema_version: Literal["lethe.handed-in/1"] = "lethe.handed-in/1"
    by: Reason
    salt: str = Field(pattern=r"^[0-9a-f]{64}$")


class JudgedCertificate(Record):
    """The predicate: which model was judged for which request, by what, and how the verdict came out.

    Lethe did not make the model, so ``method``, ``cost`` and ``coverage`` are not known, nor is what it was
    trained on: ``held_out`` says that nobody but its maker knows whether the rows that judged it were held
    out from it. ``handed_in`` is the digest of a ``HandedIn`` that the issuer keeps. Unlike a deletion's, the
    verdict may be any: nothing was accepted, registered or promoted. ``calibrated_request`` is present if a
    calibration stood in for retrained models.
    """

    schema_version: Literal["lethe.judged/1"]
    kind: Literal["judged, not made"]
    request: RequestSummary
    data: DataDigests
    models: JudgedModels
    net: Net
    method: Unknown
    cost: Unknown
    coverage: Unknown
    held_out: Unknown
    handed_in: Sha256 | None
    judgement: Judgement
    earlier: tuple[AskedAgain, ...]
    validation: ValidationSummary
    ledger: Sha256 | None
    provenance: Provenance
    extensions: tuple[Extension, ...]
    calibrated_request: CalibratedRequest | None = Field(default=None, exclude_if=lambda found: found is None)

    @property
    def has_relapsed(self) -> bool:
        """Whether the model knows again what an earlier request had its lineage forget."""
        return any(one.outcome == "relapsed" for one in self.earlier)

    @property
    def ending(self) -> JudgedEnding:
        """What the gate says of both claims and of the earlier requests together."""
        verdict = self.judgement.verdict
        if self.has_relapsed or any(one.verdict in get_args(Failing) for one in verdict.claims.values()):
            return "fails"
        return "passes" if verdict.is_shown else "inconclusive"

    @property
    def in_words(self) -> str:
        """What was shown, in a few words."""
        back = "; what was forgotten earlier is back" if self.has_relapsed else ""
        return f"{self.kind}: {self.judgement.verdict.in_words}{back}"


class JudgedStatement(InTotoStatement):
    """An in-toto Statement v1 about exactly one model that was handed in."""

    predicate_type: Literal["tag:lethe.example,2025:judged/v1"] = Field(alias="predicateType")
    predicate: JudgedCertificate

    @classmethod
    def of(cls, certificate: JudgedCertificate) -> Self:
        """Make the statement of a certificate about the file that was handed in."""
        file, name = certificate.models.candidate, "candidate.safetensors"
        return cls.about(file, name=name, predicateType=JUDGED_TYPE, predicate=certificate)
