"""The ledger of deletion requests: what was asked for, its state, and every change of state."""

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from unlearn_core.kinds import Basis, RequestState, RunResult
from unlearn_core.records.base import Record, RegistryName, Sha256, UtcTime
from unlearn_core.records.request import DeletionRequest, RequestId

Notice = Literal["purge", "hold", "release"]
"""What happens to a request after it was served: a store was purged, it is held, it no longer is."""

Action = Literal[
    "submit", "claim", "complete", "fail", "expire", "retry", "cancel", "begin", "end", "judge", Notice
]
"""``begin`` and ``end`` are of a run: the ladder was climbed; ``judge`` is of a model that was handed in.
None of them changes a state, nor do notices."""

Day = Annotated[str, StringConstraints(pattern=r"^\d{4}-\d\d-\d\d$")]
"""A day of the calendar."""

LINE = r"^[^\x00-\x1f\x7f]+$"

Actor = Annotated[str, StringConstraints(pattern=LINE, max_length=200)]
"""The name of a person or a worker."""

Reason = Annotated[str, StringConstraints(pattern=LINE, max_length=1000)]
"""A line of free text: for what happened, not for names of persons."""


class Submission(Record):
    """What was asked for, of which model, when, and by which day it is due. It never changes."""

    schema_version: Literal["lethe.submission/1"] = "lethe.submission/1"
    request: DeletionRequest
    model: RegistryName
    basis: Basis
    received: UtcTime
    due: Day

    @model_validator(mode="after")
    def _is_for_the_model_that_the_request_names(self) -> Self:
        if self.request.model not in {None, self.model}:
            raise ValueError(f"the request is for the model {self.request.model}, not for {self.model}")
        return self


class LedgerHead(Record):
    """The digest of a ledger's whole history, and how many events that is."""

    schema_version: Literal["lethe.ledger-head/1"] = "lethe.ledger-head/1"
    head: Sha256
    events: int = Field(ge=1)


class Entry(Record):
    """A request in its present state.

    Attributes:
        submission: What was asked for.
        state: Its present state.
        attempts: How often it was claimed.
        worker: Who is working on it, while it is running.
        lease_until: When that claim expires, unless the worker extends it.
        leader: The first of the requests that are served in one run; also while they wait to be resumed. None
            if not begun.
        waits_until: Until when it waits for others on its model; None if it does not.
    """

    schema_version: Literal["lethe.entry/1"] = "lethe.entry/1"
    submission: Submission
    state: RequestState
    attempts: Annotated[int, Field(ge=0)]
    worker: Actor | None
    lease_until: UtcTime | None
    leader: RequestId | None = None
    waits_until: UtcTime | None = Field(default=None, exclude_if=lambda until: until is None)

    @property
    def id(self) -> RequestId:
        """The request's id."""
        return self.submission.request.id


class LedgerEvent(Record):
    """One change of a request's state, chained to the event before it.

    Attributes:
        sequence: Its place in the ledger, from 1 on.
        time: When it happened.
        request: Whose state changed.
        action: What was done.
        actor: Who did it.
        before: The state that was left; None for a new request.
        after: The state that was entered.
        reason: Why, in free text.
        submission: The digest of what was asked for.
        previous: The digest of the event before; None for the first.
        policy: The digest of the policy: at receipt, or of a run; None where no checkout was at hand.
        run: For the end of a run, what came of it.
        deletion: For the end of a run, the digest of its record; None if it broke off before there was one.
            For a judgement, the digest of its certificate; ``reason`` says what came of it.
    """

    schema_version: Literal["lethe.event/1"] = "lethe.event/1"
    sequence: Annotated[int, Field(ge=1)]
    time: UtcTime
    request: RequestId
    action: Action
    actor: Actor
    before: RequestState | None
    after: RequestState
    reason: Reason | None
    submission: Sha256
    previous: Sha256 | None
    policy: Sha256 | None = Field(default=None, exclude_if=lambda policy: policy is None)
    run: RunResult | None = Field(default=None, exclude_if=lambda run: run is None)
    deletion: Sha256 | None = Field(default=None, exclude_if=lambda deletion: deletion is None)
