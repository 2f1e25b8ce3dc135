"""What a method did to a model."""

from typing import Literal, Self, get_args

from pydantic import Field, JsonValue

from unlearn_core.records.aim import Aim
from unlearn_core.records.base import Record, Sha256
from unlearn_core.records.provenance import Extension

Moving = Literal["projected", "trained"]
Treatment = Literal[Moving, "frozen", "unsupported"]


class ParameterCoverage(Record):
    """One parameter tensor: how the method treats it, its share of all parameters, and why.

    ``frozen`` is how many of its elements stay as they are where the treatment is that of the others.
    """

    parameter: str
    treatment: Treatment
    elements: int
    share: float
    reason: str = ""
    # Left out of the canonical form where a tensor is treated as a whole: earlier reports keep their digests.
    frozen: int = Field(default=0, ge=0, exclude_if=lambda count: count == 0)

    @property
    def movable(self) -> int:
        """How many of its elements may have moved."""
        return self.elements - self.frozen if self.treatment in get_args(Moving) else 0

    def share_of(self, treatment: Treatment) -> float:
        """Return its elements that get a treatment, as a share of all parameters."""
        still = self.share * self.frozen / self.elements if self.frozen else 0.0
        own = self.share - still if treatment == self.treatment else 0.0
        return own + still if treatment == "frozen" else own


class Coverage(Record):
    """How much of a model a method reaches.

    ``projected`` parameters are edited inside a subspace, ``trained`` ones freely, ``frozen`` ones stay
    by policy, ``unsupported`` ones are out of reach. ``buffers`` names all others that moved, such as running
    statistics.
    """

    parameters: tuple[ParameterCoverage, ...]
    buffers: tuple[str, ...] = Field(default=(), exclude_if=lambda names: not names)

    def share(self, treatment: Treatment) -> float:
        """Return the share of all parameter elements that get a treatment."""
        return sum(entry.share_of(treatment) for entry in self.parameters)


class CoverageSummary(Record):
    """Shares of all parameter elements per treatment, and the digest of the full coverage.

    ``buffers`` is how many others moved, such as running statistics.
    """

    projected: float = Field(ge=0, le=1)
    trained: float = Field(ge=0, le=1)
    frozen: float = Field(ge=0, le=1)
    unsupported: float = Field(ge=0, le=1)
    buffers: int = Field(default=0, ge=0, exclude_if=lambda count: count == 0)
    full: Sha256

    @classmethod
    def of(cls, coverage: Coverage) -> Self:
        """Summarise a coverage report."""
        # A sum of shares may exceed one by a rounding error.
        return cls(
            projected=min(1.0, coverage.share("projected")),
            trained=min(1.0, coverage.share("trained")),
            frozen=min(1.0, coverage.share("frozen")),
            unsupported=min(1.0, coverage.share("unsupported")),
            buffers=len(coverage.buffers),
            full=coverage.digest,
        )


class Curve(Record):
    """A named series of values, one per step."""

    name: str
    values: tuple[float, ...]


class UnlearningRecord(Record):
    """One attempt: the method with every hyper-parameter it used, and the result.

    ``method`` is the method's own JSON with all that was searched for filled in: run again with
    ``seed``, it gives the same ``weights``. ``extension`` says where the method is from, if that is not
    Lethe. ``aim`` is what its searches on tuning data aimed at; without one they went by accuracies.
    """

    schema_version: Literal["lethe.unlearning/1"] = "lethe.unlearning/1"
    method: dict[str, JsonValue]
    seed: int
    parent: Sha256
    weights: Sha256
    coverage: Coverage
    curves: tuple[Curve, ...] = ()
    extension: Extension | None = Field(default=None, exclude_if=lambda extension: extension is None)
    aim: Aim | None = Field(default=None, exclude_if=lambda aim: aim is None)

    @property
    def name(self) -> str:
        """The method's name."""
        return str(self.method["name"])
