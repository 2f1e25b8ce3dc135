"""A search for hyper-parameters: where it looked, what it found, what it cost."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from unlearn_core.records.aim import Aim
from unlearn_core.records.base import Record, Sha256
from unlearn_core.records.evaluation import Cost
from unlearn_core.records.request import RequestId

Value = int | float | str
Values = dict[str, Value]
"""Hyper-parameters by name; a dot leads into a nested record, as in ``recipe.epochs``."""


class Range(Record):
    """Numbers from ``low`` to ``high``, both included; ``log`` tries each order of magnitude evenly."""

    kind: Literal["range"] = "range"
    low: float
    high: float
    log: bool = False

    @model_validator(mode="after")
    def _holds_numbers(self) -> Self:
        if not self.low < self.high or (self.log and self.low <= 0):
            raise ValueError(f"low {self.low:g} must be below high {self.high:g}, and above zero with log")
        return self


class Choice(Record):
    """One of a few values."""

    kind: Literal["choice"] = "choice"
    options: tuple[Value, ...] = Field(min_length=2)


Dimension = Annotated[Range | Choice, Field(discriminator="kind")]
Space = dict[str, Dimension]
"""What is searched, by the name of the hyper-parameter."""


class Trial(Record):
    """One try. ``score`` is None if the method gave no model, as ``why`` explains, or was stopped early."""

    values: Values
    state: Literal["complete", "pruned", "failed"]
    score: float | None
    cost: Cost
    why: str | None = None


class TuningRecord(Record):
    """A search for one method on one request, by held-out data of the tuning split alone.

    ``splits`` are the digests of the only data that was read. ``untuned`` is the score of the method as it
    was configured, None if it gave no model. ``chosen`` is empty where no trial did better than that, unless
    the method was configured with the best trial's values already. Higher scores are better: they are minus
    the worst distance from ``aim``, in widths of the gate's bands; without one they are of accuracies.
    """

    schema_version: Literal["lethe.tuning/1"] = "lethe.tuning/1"
    request: RequestId
    method: str
    split: Sha256
    parent: Sha256
    splits: dict[str, Sha256]
    space: Space
    seed: int
    trials: tuple[Trial, ...]
    untuned: float | None
    chosen: Values
    score: float | None
    cost: Cost
    aim: Aim | None = Field(default=None, exclude_if=lambda aim: aim is None)

    @property
    def scored_by(self) -> str:
        """What scores are, in words."""
        if self.aim is None:
            return "accuracies on tuning data, since no retrained model is pinned beside the judges"
        return "the worst distance from a retrained model that does not judge, in widths of the gate's bands"
