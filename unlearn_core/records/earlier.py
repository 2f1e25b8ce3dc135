"""Requests that a model's lineage has served before, and what a later model answers of them."""

from collections.abc import Sequence
from typing import Literal, Self

from pydantic import Field

from unlearn_core.kinds import RequestKind
from unlearn_core.records.base import Record
from unlearn_core.records.request import RequestId


class EarlierRequest(Record):
    """A request that was served before; ``classes`` are the indices of those that it named, if it did."""

    request: RequestId
    kind: RequestKind
    classes: tuple[int, ...] = ()


class Knowledge(Record):
    """How well one model knows the classes of an earlier request, on ``rows`` that no model has learned.

    ``accuracy`` is the share of them that it names right, ``confidence`` the mean probability that it gives
    to the right class.
    """

    rows: int = Field(ge=1)
    accuracy: float = Field(ge=0, le=1)
    confidence: float = Field(ge=0, le=1)

    @classmethod
    def mean_of(cls, models: Sequence[Self]) -> Self:
        """Return what several models know on average; they were asked with the same rows."""
        count = len(models)
        return cls(
            rows=models[0].rows,
            accuracy=sum(one.accuracy for one in models) / count,
            confidence=sum(one.confidence for one in models) / count,
        )


class AskedAgain(Record):
    """An earlier request, asked again of a candidate, of its parent and of the retrained models.

    What cannot be asked any more has a reason, ``why``, and no numbers.
    """

    request: RequestId
    outcome: Literal["still_forgotten", "relapsed", "not_asked"]
    parent: Knowledge | None = None
    candidate: Knowledge | None = None
    retrained: tuple[Knowledge, ...] = ()
    why: str | None = None

    @property
    def in_words(self) -> str:
        """The result, in a line without the request's id."""
        if self.parent is None or self.candidate is None:
            return f"not asked: {self.why}"
        numbers = f"accuracy {self.candidate.accuracy:.2f}, confidence {self.candidate.confidence:.2f}"
        others = Knowledge.mean_of(self.retrained or (self.parent,))
        of = "retrained" if self.retrained else "before"
        beside = f"{of} {others.accuracy:.2f}, {others.confidence:.2f}"
        return f"{self.outcome.replace('_', ' ')}: {numbers} ({beside})"
