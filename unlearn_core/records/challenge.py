"""What ``lethe benchmark --adversaries`` found: whether any model that pretends to have forgotten passes."""

from typing import Literal

from pydantic import Field, JsonValue

from unlearn_core.kinds import EvidenceLevel
from unlearn_core.records.base import Record, Sha256
from unlearn_core.records.policy import ClaimName, VerdictName


class JudgedClaim(Record):
    """The gate's verdict on one claim about a model, and its reason."""

    claim: ClaimName
    verdict: VerdictName
    reason: str


class ChallengeRow(Record):
    """One model before the gate.

    ``model`` is ``original``, ``retrained`` or the name of an adversary; ``variant`` counts its seeds.
    Accuracies are those on test data of the other classes (``retained``), on the forgotten training data
    (``forgotten``) and on test data of the forgotten classes (``unseen``). ``exposed_by`` names the
    measurements that lie outside their bands; ``passes`` says that every claim that was judged passes. An
    adversary that could not be made has no claims, and ``failed`` says why.
    """

    model: str
    variant: int = 0
    method: dict[str, JsonValue] | None = None
    retained: float | None = None
    forgotten: float | None = None
    unseen: float | None = None
    claims: tuple[JudgedClaim, ...] = ()
    exposed_by: tuple[str, ...] = ()
    passes: bool = False
    seconds: float | None = None
    failed: str | None = None


class ChallengeReport(Record):
    """All adversaries before the gate of one checkout, beside the original and the retrained models.

    ``passed`` counts the adversaries that pass: none may.
    """

    schema_version: Literal["lethe.challenge/1"] = "lethe.challenge/1"
    request: str
    policy: Sha256
    level: EvidenceLevel
    variants: int = Field(ge=1)
    models: tuple[ChallengeRow, ...]
    adversaries: tuple[ChallengeRow, ...]

    @property
    def passed(self) -> tuple[ChallengeRow, ...]:
        """The adversaries that the gate takes for forgotten."""
        return tuple(row for row in self.adversaries if row.passes)
