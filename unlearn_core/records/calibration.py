"""A calibration: bands around a prediction of what a retrained model would show, made without retraining."""

from collections.abc import Hashable, Iterable
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from unlearn_core.kinds import CalibrationKind, RequestKind
from unlearn_core.records.artifact import Recipe
from unlearn_core.records.base import Number, Record, Sha256
from unlearn_core.records.evaluation import Evaluation
from unlearn_core.records.policy import ClaimName
from unlearn_core.records.reference import BuildEstimate, Job


class PseudoRequest(Record):
    """Something that nobody asked to have forgotten, measured on the original and on a retrained model.

    ``fold`` is the same for all that one training left out. ``rows`` is how many training rows it names.
    """

    kind: CalibrationKind
    fold: int = Field(ge=0)
    rows: int = Field(ge=1)
    original: Evaluation
    retrained: Evaluation


class PseudoJob(Record):
    """Where a pseudo-request is measured, and where that is kept; paths are from the project's top folder."""

    checkout: str
    kept: str
    kind: CalibrationKind
    fold: int
    rows: int


class MeasuringJob(Record):
    """A process's job: train a model, and measure it on the pseudo-requests that it serves.

    ``model`` is where the model is, or will be, from the project's top folder.
    """

    training: Job
    model: str
    pseudo: tuple[PseudoJob, ...]


class PredictionLine(Record):
    """A prediction ``level + slope · feature``, and how far retrained models scatter around it.

    ``scale`` is the standard deviation of the residual for a measurement that rests on one sample; it shrinks
    with the square root of the number of samples.
    """

    level: Number
    slope: Number
    scale: Number = Field(gt=0)


class CalibratedMeasurement(Record):
    """How one measurement of a retrained model follows from the original: a line per fold left out.

    ``feature`` is the measurement of the original that predicts it.
    """

    measurement: str
    feature: str
    lines: tuple[PredictionLine, ...] = Field(min_length=2)


class CalibratedClaim(Record):
    """All measurements of one claim together.

    ``scores`` has the largest standardised residual of each pseudo-request, predicted by lines that its fold
    was left out of.
    """

    claim: ClaimName
    measurements: tuple[CalibratedMeasurement, ...] = Field(min_length=1)
    scores: tuple[Annotated[Number, Field(ge=0)], ...] = Field(min_length=1)


class Tally(Record):
    """How many models were judged by bands made without their own fold, and how many the gate passes."""

    judged: int = Field(ge=0)
    inside: int = Field(ge=0)

    @model_validator(mode="after")
    def _counts_some_of_all(self) -> Self:
        if self.inside > self.judged:
            raise ValueError(f"{self.inside} of {self.judged} are said to be inside")
        return self


class CalibrationPower(Record):
    """What the bands tell apart, each model judged by bands that its own fold was left out of.

    ``inside`` counts the models all of whose measurements lie inside their bands: retrained ones should, the
    original and the adversaries should not. ``retrained_interval`` is that of 95 % of the first share.
    """

    retrained: Tally
    retrained_interval: tuple[float, float]
    originals: Tally
    adversaries: Tally

    @property
    def has_power(self) -> bool:
        """Whether any original lies outside of the bands."""
        return self.originals.inside < self.originals.judged


class CalibratedKind(Record):
    """The bands for one kind of request.

    ``folds`` has the fold of each pseudo-request, counted from 0. Requests of ``smallest`` to ``largest``
    training rows are in range.
    """

    kind: CalibrationKind
    coverage: float = Field(ge=0.5, lt=1)
    smallest: int = Field(ge=1)
    largest: int = Field(ge=1)
    folds: tuple[int, ...] = Field(min_length=1)
    claims: tuple[CalibratedClaim, ...] = Field(min_length=1)
    power: CalibrationPower | None = None

    @property
    def trainings(self) -> int:
        """How many trainings served the pseudo-requests."""
        return len(set(self.folds))

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.smallest > self.largest:
            raise ValueError(f"`smallest` is {self.smallest}, `largest` {self.largest}")
        if set(self.folds) != set(range(self.trainings)):
            raise ValueError("`folds` are not counted from 0")
        _refuse_twice("claim", (one.claim for one in self.claims))
        for claim in self.claims:
            _refuse_twice(claim.claim, (one.measurement for one in claim.measurements))
            if len(claim.scores) != len(self.folds):
                raise ValueError(f"{claim.claim} has {len(claim.scores)} scores, not {len(self.folds)}")
            if any(len(one.lines) != self.trainings for one in claim.measurements):
                raise ValueError(f"{claim.claim} has a measurement without a line for each fold left out")
        return self


def _refuse_twice(what: str, names: Iterable[Hashable]) -> None:
    listed = list(names)
    if len(set(listed)) < len(listed):
        raise ValueError(f"{what}: one is there twice")


class CalibrationCost(Record):
    """What a calibration took: how many trainings, and their seconds, one after the other, where it ran."""

    trainings: int = Field(ge=0)
    seconds: float = Field(ge=0)


class Calibration(Record):
    """What a policy with ``reference: calibrated`` judges by.

    ``model`` is the model that was trained in full, ``data`` the rows that it was trained on, ``recipe`` how.
    It holds for that model and for those that at most ``deletions`` deletions made of it, as long as no more
    than ``weight_distance`` lies between; None is no bound.
    """

    schema_version: Literal["lethe.calibration/1"] = "lethe.calibration/1"
    model: Sha256
    data: Sha256
    architecture: str
    recipe: Recipe
    deletions: int | None = Field(ge=0)
    weight_distance: float | None = Field(ge=0)
    kinds: tuple[CalibratedKind, ...] = Field(min_length=1)
    cost: CalibrationCost

    @model_validator(mode="after")
    def _has_a_kind_once(self) -> Self:
        _refuse_twice("kind", (one.kind for one in self.kinds))
        return self

    def of(self, kind: RequestKind) -> CalibratedKind | None:
        """Return the bands for a kind of request, or None if it was not calibrated."""
        return next((one for one in self.kinds if one.kind == kind), None)

    def has_power(self, kind: RequestKind) -> bool:
        """Tell whether the bands for a kind of request tell any original from retrained models."""
        found = self.of(kind)
        return found is None or found.power is None or found.power.has_power


class CalibratedRequest(Record):
    """What decides whether a calibration holds for a request, beside the request's kind.

    ``model`` is the last model of its lineage that was trained in full, ``deletions`` how many there were
    before the request, ``rows`` how many training rows the request names.
    """

    model: Sha256
    deletions: int = Field(ge=0)
    rows: int = Field(ge=0)


class CalibrationReport(Record):
    """What ``lethe calibrate`` estimated, and what it made; None if nothing was trained."""

    schema_version: Literal["lethe.calibration-report/1"] = "lethe.calibration-report/1"
    estimate: BuildEstimate
    made: Calibration | None
