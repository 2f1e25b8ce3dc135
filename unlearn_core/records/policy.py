"""The policy: what counts as forgotten, fixed and hashed before a run."""

from typing import Literal

from pydantic import Field

from unlearn_core.records.base import Record, Sha256

Failing = Literal["under_forgotten", "over_forgotten"]
VerdictName = Literal["passes", "under_forgotten", "over_forgotten", "inconclusive"]
EvidenceLevel = Literal["E0", "E1", "E2", "E3"]


class Band(Record):
    """How far one measurement may lie from the retrained model's, and what lying outside means.

    Without a reference the measurement must lie in ``[lowest, highest]`` instead; a bound that is None
    is not checked.
    """

    measurement: str
    below: float = Field(ge=0)
    above: float = Field(ge=0)
    below_means: Failing
    above_means: Failing
    lowest: float | None = None
    highest: float | None = None


class Ladder(Record):
    """Which methods are tried, in which order; the first that passes is accepted."""

    classes: tuple[str, ...]
    samples: tuple[str, ...]


class Policy(Record):
    """What the gate asks for, per kind of scope (a subject's rows are samples)."""

    schema_version: Literal["lethe.policy/1"] = "lethe.policy/1"
    reference: Literal["none", "cached", "build"] = "build"
    when_inconclusive: Literal["retrain", "accept_with_note"] = "retrain"
    max_unsupported_share: float = Field(default=0.05, ge=0, le=1)
    ladder: Ladder
    classes: tuple[Band, ...] = Field(min_length=1)
    samples: tuple[Band, ...] = Field(min_length=1)


class Finding(Record):
    """One band applied to one model."""

    measurement: str
    value: float | None
    lowest: float | None
    highest: float | None
    outcome: Literal["inside", "under_forgotten", "over_forgotten", "not_measured"]


class Verdict(Record):
    """What the gate says of one model: the verdict, what decided it and why, and every finding."""

    verdict: VerdictName
    level: EvidenceLevel
    decided_by: tuple[str, ...]
    reason: str
    findings: tuple[Finding, ...]
    policy: Sha256
