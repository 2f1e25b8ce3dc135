"""What was measured on one model."""

from collections.abc import Iterable
from functools import cached_property
from typing import Literal, Self

from pydantic import Field

from unlearn_core.records.base import Number, Record, Sha256
from unlearn_core.records.provenance import Extension


class Measurement(Record):
    """One number. ``name`` is dotted: ``metric.quantity[.split].side``, all lower case.

    ``low`` and ``high`` bound a 95 % interval where there is one; ``samples`` is the size of the
    smallest sample that the number rests on.
    """

    name: str
    value: Number
    low: Number | None = None
    high: Number | None = None
    samples: int | None = Field(default=None, ge=0)


class Unmeasured(Record):
    """A measurement that could not be taken, or could say nothing, and why.

    ``name`` stands for every measurement that begins with it. ``lacking`` says that there was no sample to
    take it on: that is missing from a judgement. What could say nothing of any model is not.
    """

    name: str
    reason: str
    lacking: bool = Field(default=False, exclude_if=lambda lacking: not lacking)

    def is_about(self, name: str) -> bool:
        """Tell whether this is about a measurement."""
        return name == self.name or name.startswith(f"{self.name}.")


class SampledView(Record):
    """A view, such as ``train.retain``, of which only some samples were shown: how many, and of how many."""

    view: str
    shown: int = Field(ge=0)
    of: int = Field(ge=0)


class Evaluation(Record):
    """Every number measured on one model for one request. Times and costs are not among them.

    ``unmeasured`` are those that are missing, and why. ``extensions`` are the metrics used that are not
    Lethe's own. ``sampled`` are the views that were not measured whole.
    """

    schema_version: Literal["lethe.evaluation/1"] = "lethe.evaluation/1"
    model: Sha256
    seed: int
    measurements: tuple[Measurement, ...]
    unmeasured: tuple[Unmeasured, ...] = Field(default=(), exclude_if=lambda names: not names)
    extensions: tuple[Extension, ...] = Field(default=(), exclude_if=lambda extensions: not extensions)
    sampled: tuple[SampledView, ...] = Field(default=(), exclude_if=lambda views: not views)

    @cached_property
    def _by_name(self) -> dict[str, Measurement]:
        """Each measurement by its name; of several with one name the first."""
        return {entry.name: entry for entry in reversed(self.measurements)}

    def get(self, name: str) -> Measurement | None:
        """Return a measurement by name, or None if it was not taken."""
        return self._by_name.get(name)

    def silence(self, name: str) -> str | None:
        """Return why a measurement could say nothing, or None if that is not so."""
        return next((one.reason for one in self.unmeasured if one.is_about(name) and not one.lacking), None)

    def missing(self, name: str) -> str | None:
        """Return why a measurement is missing, or None if nothing is known of that."""
        return self.silence(name) or self.lack(name)

    def lack(self, name: str) -> str | None:
        """Return which samples there were none of to take a measurement on, or None if that is not so."""
        return next((one.reason for one in self.unmeasured if one.is_about(name) and one.lacking), None)

    def find(self, name: str) -> float | None:
        """Return a measured value, or None if it was not measured."""
        return None if (found := self.get(name)) is None else found.value

    def value(self, name: str) -> float:
        """Return a measured value.

        Raises:
            KeyError: If it was not measured; the message lists what was.
        """
        if (found := self.get(name)) is None:
            raise KeyError(
                f"{name} was not measured; measured: {', '.join(m.name for m in self.measurements)}"
            )
        return found.value


class TimeSpent(Record):
    """Where the time of one deletion went, in seconds on the machine that ran it last.

    Attributes:
        split: Resolving the request, and writing and validating what is retained.
        training: Training models to compare with; 0 if they were there.
        methods: All methods that were tried, their searches included.
        measuring: Measuring the original, the models to compare with and every candidate.
        certificate: Signing, registering and writing the reports.
        retraining: What one retraining took, to compare with: no part of the deletion. None if that is
            unknown here.
    """

    schema_version: Literal["lethe.time/1"] = "lethe.time/1"
    split: float = 0.0
    training: float = 0.0
    methods: float = 0.0
    measuring: float = 0.0
    certificate: float = 0.0
    retraining: float | None = None

    @property
    def parts(self) -> dict[str, float]:
        """The seconds of each part, in the order of the work."""
        aside = {"schema_version", "retraining"}
        return {name: getattr(self, name) for name in type(self).model_fields if name not in aside}

    @property
    def total(self) -> float:
        """All of it, in seconds."""
        return sum(self.parts.values())


class Cost(Record):
    """What an attempt cost. Differs from run to run, so it never enters a pinned file.

    ``seconds`` include statistics, search and validation; ``samples_seen`` counts a sample once per
    forward pass. Both include the outside search that found the hyper-parameters, if there was one;
    ``tuning_seconds`` is its part.
    """

    seconds: float = Field(ge=0)
    peak_memory_mib: float = Field(ge=0)
    samples_seen: int = Field(ge=0)
    tuning_seconds: float = Field(default=0.0, ge=0)

    @classmethod
    def total(cls, costs: Iterable[Self]) -> Self:
        """Return what several things cost together, one after the other; at least one."""
        parts = tuple(costs)
        return cls(
            seconds=sum(part.seconds for part in parts),
            peak_memory_mib=max(part.peak_memory_mib for part in parts),
            samples_seen=sum(part.samples_seen for part in parts),
            tuning_seconds=sum(part.tuning_seconds for part in parts),
        )
