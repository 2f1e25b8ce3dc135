"""The policy: what counts as forgotten, fixed and hashed before a run."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, JsonValue

from unlearn_core.records.base import Record, Sha256

LAST_RESORT = "retrain"
"""The method that closes every ladder, named or not."""

MOST_REFERENCES = 256
"""The most retrained models of one request; as many shadow pairs as papers have used."""

_LEAST_SHADOWS = 5
"""The fewest pairs of shadow models that an attack can be fitted to, including one that is left out."""

Failing = Literal["under_forgotten", "over_forgotten"]
VerdictName = Literal["passes", "under_forgotten", "over_forgotten", "inconclusive"]
EvidenceLevel = Literal["E0", "E1", "E2", "E3"]


class Band(Record):
    """How far one measurement may lie from the retrained model's, and what lying outside means.

    Without a reference the measurement must lie in ``[lowest, highest]`` instead; a bound that is None
    is not checked. A measurement that rests on fewer than ``least_samples`` samples is not judged: its
    sampling error would be wider than the band.
    """

    measurement: str
    below: float = Field(ge=0)
    above: float = Field(ge=0)
    below_means: Failing
    above_means: Failing
    lowest: float | None = None
    highest: float | None = None
    least_samples: int = Field(default=0, ge=0)


def _always_judging(bands: tuple[Band, ...]) -> tuple[Band, ...]:
    """Refuse bands none of which apply to a handful of samples: nothing would be judged then."""
    if all(band.least_samples for band in bands):
        raise ValueError("at least one band must apply to any number of samples (least_samples: 0)")
    return bands


def _enough_shadows(pairs: int) -> int:
    """Refuse too few pairs to fit an attack, after a retrained model is left out of its own."""
    if 0 < pairs < _LEAST_SHADOWS:
        raise ValueError(f"an attack takes at least {_LEAST_SHADOWS} pairs of shadow models, or 0 for none")
    return pairs


Bands = Annotated[tuple[Band, ...], AfterValidator(_always_judging)]


class Ladder(Record):
    """Which methods are tried, in which order; the first that passes is accepted."""

    classes: tuple[str, ...]
    samples: tuple[str, ...]


class DriftBudget(Record):
    """How far a model may come from the last one that was trained in full, before the next must be.

    ``max_requests`` counts deletions since then. The others bound ``weight_distance``, the complement of
    ``retained_energy``, and how far ``accuracy`` lies below ``accuracy_at_origin``; see ``records.drift``.
    What is None has no bound.
    """

    max_requests: int | None = Field(default=None, ge=0)
    max_weight_distance: float | None = Field(default=None, ge=0)
    max_output_change: float | None = Field(default=None, ge=0)
    max_accuracy_drop: float | None = Field(default=None, ge=0)


class HumanApproval(Record):
    """A person must approve each accepted model, within some hours, before it is certified and promoted."""

    within_h: float = Field(gt=0, le=24 * 365)


class Policy(Record):
    """What the gate asks for, per kind of scope (a subject's rows are samples).

    A model is compared with ``references`` retrained models, and attacked with the help of ``shadows`` pairs
    of shadow models: missing ones are built, or only those built before are used (cached). From five
    retrained models on, their spread is known, and ``alpha`` bounds the chance of a wrong pass, and of a
    wrong failure; see ``audit.policy``. Where planted canaries are forgotten, the bands of ``canaries`` apply
    in addition to those of ``samples``. ``metrics`` that are not Lethe's own are measured in addition to its
    own: their settings, by name.
    """

    schema_version: Literal["lethe.policy/2"] = "lethe.policy/2"
    reference: Literal["none", "cached", "build"] = "build"
    references: int = Field(default=1, ge=1, le=MOST_REFERENCES)
    shadows: Annotated[int, AfterValidator(_enough_shadows)] = Field(default=0, ge=0, le=MOST_REFERENCES)
    alpha: float = Field(default=0.05, gt=0, lt=0.5)
    when_inconclusive: Literal["retrain", "accept_with_note"] = "retrain"
    max_unsupported_share: float = Field(default=0.05, ge=0, le=1)
    drift: DriftBudget = DriftBudget()
    ladder: Ladder
    classes: Bands
    samples: Bands
    canaries: tuple[Band, ...] = ()
    # Left out of the canonical form if it is not asked for: earlier policies keep their digests.
    approval: HumanApproval | None = Field(default=None, exclude_if=lambda asked: asked is None)
    metrics: dict[str, dict[str, JsonValue]] = Field(
        default_factory=dict, exclude_if=lambda metrics: not metrics
    )


FindingOutcome = Literal["inside", "under_forgotten", "over_forgotten", "undecided", "not_measured"]


class Finding(Record):
    """One band applied to one model.

    From ``lowest`` to ``highest`` a value is equivalent to the retrained models'. If there are enough of
    these for their spread to be known, that is narrower than the band, and what lies outside may still be
    *undecided*: neither shown to be equivalent nor to lie beyond the band.
    """

    measurement: str
    value: float | None
    lowest: float | None
    highest: float | None
    outcome: FindingOutcome


class Verdict(Record):
    """What the gate says of one model: the verdict, what decided it and why, and every finding."""

    verdict: VerdictName
    level: EvidenceLevel
    decided_by: tuple[str, ...]
    reason: str
    findings: tuple[Finding, ...]
    policy: Sha256
