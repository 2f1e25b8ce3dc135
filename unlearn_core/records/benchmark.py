"""A comparison of methods: what one did in one case, and how all of them rank."""

from typing import Literal

from pydantic import Field, JsonValue

from unlearn_core.records.base import Record, Sha256
from unlearn_core.records.evaluation import Measurement
from unlearn_core.records.policy import VerdictName

ForgetKind = Literal["class", "random", "subject"]
RunOutcome = VerdictName | Literal["failed"]


class ForgetSet(Record):
    """What is forgotten in a case. ``name`` appears on pages, so it never names a person."""

    kind: ForgetKind
    name: str
    rows: int


class BenchmarkRow(Record):
    """One method in one case, and the model retrained for the same forget set and seed.

    ``values`` are the method's measurements and ``retrained`` the same of the retrained model; both are
    empty where the method failed, and ``why`` says so. ``seconds`` are the method's, with the second moments
    if it needs them, ``retraining_seconds`` those of its retrained model, None if it was not timed;
    ``took_seconds`` is the whole case, measuring included. ``outcome`` is the verdict on the claim *behaves*,
    ``removed`` that on the claim *removed*, if it was judged.
    """

    schema_version: Literal["lethe.benchmark-row/1"] = "lethe.benchmark-row/1"
    forget: ForgetSet
    seed: int
    method: str
    settings: dict[str, JsonValue] = Field(default_factory=dict)
    outcome: RunOutcome
    removed: VerdictName | None = Field(default=None, exclude_if=lambda verdict: verdict is None)
    why: str
    reference: Sha256
    values: dict[str, float] = Field(default_factory=dict)
    retrained: dict[str, float] = Field(default_factory=dict)
    seconds: float | None = None
    retraining_seconds: float | None = None
    peak_memory_mib: float | None = None
    took_seconds: float = 0.0


class SettingsOrigin(Record):
    """Where a method's hyper-parameters are from, and their digest.

    ``default`` are the method's own, which are the paper's where there is one; a ``preset`` was measured on
    the architecture; ``given`` ones stand in ``params.yaml``, and ``tuned`` ones were put there by a search
    of so many ``trials``.
    """

    source: Literal["default", "preset", "given", "tuned"]
    trials: int | None = None
    settings: Sha256


class MethodSummary(Record):
    """One method's results on one kind of forget set.

    ``gaps`` are the mean signed gaps to the retrained model, method minus retrained, over the cases in which
    both were measured: ``samples`` counts them, and a single one has no interval. ``average_gap`` and
    ``cost``, the share of retraining's time, are means over cases likewise. ``outcomes`` counts verdicts,
    ``removed`` the cases in which both claims were shown; None if the second was not judged. ``origin`` is
    that of its settings; the original has none.
    """

    kind: ForgetKind
    method: str
    cases: int
    gaps: tuple[Measurement, ...]
    average_gap: Measurement | None
    cost: Measurement | None
    outcomes: dict[RunOutcome, int]
    removed: int | None = Field(default=None, exclude_if=lambda count: count is None)
    origin: SettingsOrigin | None = Field(default=None, exclude_if=lambda origin: origin is None)

    @property
    def means(self) -> tuple[Measurement, ...]:
        """The average gap, every gap and the cost, as far as they were measured."""
        return tuple(entry for entry in (self.average_gap, *self.gaps, self.cost) if entry is not None)

    def gap(self, name: str) -> Measurement | None:
        """Return the gap in one measurement, or None if it was not measured."""
        return next((entry for entry in self.gaps if entry.name == name), None)


class Leaderboard(Record):
    """All of a comparison: the methods by kind of forget set, best average gap first, and every row."""

    schema_version: Literal["lethe.leaderboard/1"] = "lethe.leaderboard/1"
    dataset: str
    data: Sha256
    architecture: str
    parent: Sha256
    device: str
    seeds: int
    forget: tuple[ForgetSet, ...]
    standings: tuple[MethodSummary, ...]
    rows: tuple[BenchmarkRow, ...]


class Forecast(Record):
    """What a comparison would still take, before anything is run.

    ``cases`` are pairs of a forget set and a seed, each with a retrained model and some runs of methods. A
    method that never ran here is counted as long as one retraining, so ``seconds`` is cautious.
    """

    cases: int
    references: int
    references_there: int
    runs: int
    runs_there: int
    seconds: float = 0.0

    @property
    def missing(self) -> int:
        """How many models are to be trained or unlearned."""
        return self.references - self.references_there + self.runs - self.runs_there


class BenchmarkReport(Record):
    """What ``lethe benchmark`` forecast, and where it wrote the results; None if it was not run.

    ``pages`` are paths from the checkout's root where they lie in it, ``run`` is MLflow's id of the run.
    """

    schema_version: Literal["lethe.benchmark/1"] = "lethe.benchmark/1"
    forecast: Forecast
    leaderboard: Leaderboard | None = None
    pages: tuple[str, ...] = ()
    run: str | None = None
