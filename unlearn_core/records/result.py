"""What a method did to a model."""

from typing import Literal

from pydantic import Field, JsonValue

from unlearn_core.records.base import Record, Sha256
from unlearn_core.records.provenance import Extension

Treatment = Literal["projected", "trained", "frozen", "unsupported"]


class ParameterCoverage(Record):
    """One parameter tensor: how the method treats it, its share of all parameters, and why."""

    parameter: str
    treatment: Treatment
    elements: int
    share: float
    reason: str = ""


class Coverage(Record):
    """How much of a model a method reaches.

    ``projected`` parameters are edited inside a subspace, ``trained`` ones freely, ``frozen`` ones stay
    by policy, ``unsupported`` ones are out of reach.
    """

    parameters: tuple[ParameterCoverage, ...]

    def share(self, treatment: Treatment) -> float:
        """Return the share of all parameter elements that get a treatment."""
        return sum(entry.share for entry in self.parameters if entry.treatment == treatment)


class Curve(Record):
    """A named series of values, one per step."""

    name: str
    values: tuple[float, ...]


class UnlearningRecord(Record):
    """One attempt: the method with every hyper-parameter it used, and the result.

    ``method`` is the method's own JSON with all that was searched for filled in: run again with
    ``seed``, it gives the same ``weights``. ``extension`` says where the method is from, if that is not
    Lethe.
    """

    schema_version: Literal["lethe.unlearning/1"] = "lethe.unlearning/1"
    method: dict[str, JsonValue]
    seed: int
    parent: Sha256
    weights: Sha256
    coverage: Coverage
    curves: tuple[Curve, ...] = ()
    extension: Extension | None = Field(default=None, exclude_if=lambda extension: extension is None)

    @property
    def name(self) -> str:
        """The method's name."""
        return str(self.method["name"])
