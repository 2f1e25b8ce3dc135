"""How a project stands: the model in use, what waits, what has to run again, and what to do next."""

from typing import Literal

from unlearn_core.kinds import RequestState
from unlearn_core.records.base import Record, RegistryName, Sha256
from unlearn_core.records.ledger import Day
from unlearn_core.records.request import RequestId

Progress = Literal["missing", "unreadable", "new", "served", "refused", "unapproved", "unfinished"]
"""How far the request that ``params.yaml`` names has come: it is not there; its file is no request; nothing
was made for it; it has its certificate; no model was accepted; a person has to decide; a model was accepted,
and the rest was interrupted."""


class InUse(Record):
    """The registered version in use. Fields that whoever registered it did not fill in are None."""

    version: int
    request: str | None
    method: str | None
    weights: Sha256 | None


class Waiting(Record):
    """A request that is not served: in the ledger with its state and due day, or only in ``requests/``.

    ``why`` says of one that nobody serves yet what it waits for, and until when.
    """

    request: RequestId
    state: RequestState | Literal["in requests/"]
    due: Day | None = None
    overdue: bool = False
    why: str | None = None


class StaleStage(Record):
    """A stage that has to run again, and why."""

    stage: str
    why: str


class NextStep(Record):
    """A command to give next, and why."""

    command: str
    why: str


class Status(Record):
    """All of it. ``problems`` are why something could not be looked up; ``next`` is in the order of doing."""

    model: RegistryName
    champion: InUse | None
    request: str
    progress: Progress
    waiting: tuple[Waiting, ...]
    stale: tuple[StaleStage, ...]
    problems: tuple[str, ...]
    next: tuple[NextStep, ...]
