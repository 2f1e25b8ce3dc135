"""The policy: what counts as forgotten, fixed and hashed before a run."""

from typing import Annotated, Literal, Self, get_args

from pydantic import AfterValidator, Field, JsonValue, model_validator

from unlearn_core.kinds import EvidenceLevel, ScopeKind
from unlearn_core.records.base import Number, Record, Sha256
from unlearn_core.records.batch import Batch
from unlearn_core.records.erasing import PurgePolicy
from unlearn_core.records.shown import shown_in_words

MOST_REFERENCES = 256
"""The most retrained models of one request; as many shadow pairs as papers have used."""

RELAPSE = 0.1
"""By default, how far above the retrained models a model may be on what an earlier request forgot."""

_LEAST_SHADOWS = 5
"""The fewest pairs of shadow models that an attack can be fitted to, including one that is left out."""

Failing = Literal["under_forgotten", "over_forgotten"]
VerdictName = Literal["passes", "under_forgotten", "over_forgotten", "inconclusive"]
Retrained = Literal["none", "cached", "build"]
"""Which retrained models there are to compare with: none, those built before, or missing ones are built."""

ClaimName = Literal["behaves", "removed"]
"""What a verdict is about: what the model answers, or what is left inside of it."""

NOT_JUDGED = "not_judged"
"""Stands for the verdict on a claim that the policy has no band for."""


class Band(Record):
    """How far one measurement may lie from the retrained model's, and what lying outside means.

    Without a reference the measurement must lie in ``[lowest, highest]`` instead; a bound that is None
    is not checked. A measurement that rests on fewer than ``least_samples`` samples is not judged: its
    sampling error would be wider than the band. ``claim`` is what the band is a condition of.
    """

    measurement: str
    # Left out of the canonical form where it is the first claim: earlier policies keep their digests.
    claim: ClaimName = Field(default="behaves", exclude_if=lambda claim: claim == "behaves")
    below: Number = Field(ge=0)
    above: Number = Field(ge=0)
    below_means: Failing
    above_means: Failing
    lowest: Number | None = None
    highest: Number | None = None
    least_samples: int = Field(default=0, ge=0)


def _always_judging(bands: tuple[Band, ...]) -> tuple[Band, ...]:
    """Refuse bands none of which apply to a handful of samples: nothing would be judged then."""
    if all(band.least_samples or band.claim == "removed" for band in bands):
        raise ValueError(
            "at least one band of the claim `behaves` must apply to any number of samples (least_samples: 0)"
        )
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

    def of(self, scope: ScopeKind) -> tuple[str, ...]:
        """Return the methods for a kind of scope."""
        return self.classes if scope == "classes" else self.samples


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
    own: their settings, by name. Of a large view only so many samples are measured as the ``bands`` ask for
    (``sampling``), or all of them (``none``); evaluations say how many.

    A model is accepted only if it *behaves*. Where bands of the claim *removed* apply as well, the ladder
    goes on until a model shows both; if no method but retraining is left, ``when_not_removed`` says whether
    the first that behaves is accepted with a note, or the model is retrained.

    With ``reference: calibrated`` nothing is retrained for a request in the range of the calibration whose
    digest is ``calibration``. For any other, ``otherwise`` says which retrained models it is compared with.

    A model must also keep what earlier requests of its lineage were promised. ``relapse`` is how far its
    accuracy and its confidence on their classes may lie above the retrained models', or, without one, above
    its parent's.
    """

    schema_version: Literal["lethe.policy/2"] = "lethe.policy/2"
    reference: Literal["none", "cached", "calibrated", "build"] = "build"
    # Left out of the canonical form by default, like all that is newer than the first policies.
    calibration: Sha256 | None = Field(default=None, exclude_if=lambda digest: digest is None)
    otherwise: Retrained = Field(default="build", exclude_if=lambda way: way == "build")
    references: int = Field(default=1, ge=1, le=MOST_REFERENCES)
    shadows: Annotated[int, AfterValidator(_enough_shadows)] = Field(default=0, ge=0, le=MOST_REFERENCES)
    alpha: float = Field(default=0.05, gt=0, lt=0.5)
    when_inconclusive: Literal["retrain", "accept_with_note"] = "retrain"
    # Left out of the canonical form by default: earlier policies keep their digests.
    when_not_removed: Literal["accept_with_note", "retrain"] = Field(
        default="accept_with_note", exclude_if=lambda asked: asked == "accept_with_note"
    )
    max_unsupported_share: float = Field(default=0.05, ge=0, le=1)
    drift: DriftBudget = DriftBudget()
    # Left out of the canonical form by default, like `when_not_removed`.
    relapse: float = Field(default=RELAPSE, ge=0, le=1, exclude_if=lambda band: band == RELAPSE)
    ladder: Ladder
    classes: Bands
    samples: Bands
    canaries: tuple[Band, ...] = ()
    # Left out of the canonical form if it is not asked for, like the metrics below.
    approval: HumanApproval | None = Field(default=None, exclude_if=lambda asked: asked is None)
    batch: Batch | None = Field(default=None, exclude_if=lambda asked: asked is None)
    purge: PurgePolicy = Field(default=PurgePolicy(), exclude_if=lambda asked: asked == PurgePolicy())
    sampling: Literal["bands", "none"] = Field(default="bands", exclude_if=lambda way: way == "bands")
    metrics: dict[str, dict[str, JsonValue]] = Field(
        default_factory=dict, exclude_if=lambda metrics: not metrics
    )

    @model_validator(mode="after")
    def _names_its_calibration(self) -> Self:
        if (self.reference == "calibrated") != (self.calibration is not None):
            raise ValueError(
                "`reference: calibrated` and `calibration`, the digest of one, come together; "
                "`lethe calibrate` writes both"
            )
        return self

    @property
    def retrained(self) -> Retrained:
        """Which retrained models a request is compared with that no calibration judges."""
        return self.otherwise if self.reference == "calibrated" else self.reference

    def bands_of(self, scope: ScopeKind, *, planted: bool = False) -> tuple[Band, ...]:
        """Return the bands for a kind of scope, and in sample scope those for planted canaries."""
        if scope == "classes":
            return self.classes
        return (*self.samples, *self.canaries) if planted else self.samples


FindingOutcome = Literal["inside", "under_forgotten", "over_forgotten", "undecided", "not_measured"]


class Finding(Record):
    """One band applied to one model.

    From ``lowest`` to ``highest`` a value is equivalent to the retrained models'. If there are enough of
    these for their spread to be known, that is narrower than the band, and what lies outside may still be
    *undecided*: neither shown to be equivalent nor to lie beyond the band. ``lacking`` says of a value that
    was not measured which samples there were none of; without it, nobody looked.
    """

    measurement: str
    claim: ClaimName = Field(default="behaves", exclude_if=lambda claim: claim == "behaves")
    value: float | None
    lowest: float | None
    highest: float | None
    outcome: FindingOutcome
    lacking: str | None = Field(default=None, exclude_if=lambda why: why is None)


class ClaimVerdict(Record):
    """What the gate says of one claim: the verdict, what decided it, and why."""

    verdict: VerdictName
    decided_by: tuple[str, ...]
    reason: str


class Verdict(ClaimVerdict):
    """What the gate says of one model: of the claim *behaves* itself, and of the claim *removed*.

    ``removed`` is None if the policy has no band of that claim for the scope: then nothing is known of it.
    """

    level: EvidenceLevel
    findings: tuple[Finding, ...]
    policy: Sha256
    removed: ClaimVerdict | None = Field(default=None, exclude_if=lambda verdict: verdict is None)

    @property
    def removal(self) -> VerdictName | None:
        """The verdict on the claim *removed*; None if it was not judged."""
        return None if self.removed is None else self.removed.verdict

    @property
    def claims(self) -> dict[ClaimName, ClaimVerdict]:
        """The verdict on each claim that was judged."""
        removed: dict[ClaimName, ClaimVerdict] = {} if self.removed is None else {"removed": self.removed}
        return {"behaves": self, **removed}

    @property
    def in_words(self) -> str:
        """What was shown, in a few words."""
        return self.shown_of(None)

    def shown_of(self, method: str | None) -> str:
        """Say in a few words what was shown of the model that a method made, if the method is known."""
        return shown_in_words(self.verdict, self.removal, level=self.level, method=method)

    @property
    def is_shown(self) -> bool:
        """Whether the gate passes every claim that was judged."""
        return all(claim.verdict == "passes" for claim in self.claims.values())

    @property
    def has_remains(self) -> bool:
        """Whether the claim *removed* was judged, and the model is not like a retrained one inside."""
        return self.removal in get_args(Failing)
