"""What a deletion will do, said before it starts."""

from pydantic import Field

from unlearn_core.records.base import Record
from unlearn_core.records.deletion import LeftOut
from unlearn_core.records.request import RequestId
from unlearn_core.records.status import StaleStage


class Foresight(Record):
    """What a deletion will do, as far as that can be told from files.

    Attributes:
        request: The request's id.
        rows: How many training rows it is to forget.
        stages: The stages that run before the request is looked at, and why.
        methods: The methods in the order in which they would be tried.
        left_out: The others, and why.
        trainings: How many models have to be trained to compare with; None if that cannot be told.
        seconds: About how long all of it takes; None if that is unknown.
        based_on: How many earlier deletions say so.
        retraining: Why it will, or is likely to, end in a retraining.
        advice: What else could be done.
    """

    request: RequestId
    rows: int = Field(ge=0)
    stages: tuple[StaleStage, ...] = ()
    methods: tuple[str, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    trainings: int | None = None
    seconds: float | None = None
    based_on: int = 0
    retraining: tuple[str, ...] = ()
    advice: tuple[str, ...] = ()
