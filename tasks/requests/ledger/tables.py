"""The ledger's tables. The migrations create them, and the triggers that keep events unchanged."""

from typing import Any

from pydantic import ValidationError
from sqlalchemy import ForeignKey, Index, Row, String, Text, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from unlearn_core.errors import ConfigurationError, EvidenceError
from unlearn_core.kinds import RequestState
from unlearn_core.records.base import describe
from unlearn_core.records.ledger import Entry, LedgerEvent, Submission
from unlearn_core.records.request import DeletionRequest

IN_ORDER = ("due", "received", "id")
CLAIMABLE = "state = 'received' AND waits_until IS NULL"
BEGUN = "leader IS NOT NULL"
WAITS = "waits_until IS NOT NULL"
ALONE_OR_LEADING = "state = 'running' AND (leader IS NULL OR leader = id)"


_OF_AN_EVENT = tuple(LedgerEvent.model_fields)
_STANDING = ("state", "attempts", "worker", "lease_until", "leader", "waits_until")


class Tables(DeclarativeBase):
    """All tables of the ledger's database."""


class RequestRow(Tables):
    """A request's current state. Times are text in UTC, which sorts chronologically."""

    __tablename__ = "deletion_requests"
    __table_args__ = (
        # Two deletions on one model never interleave.
        Index(
            "one_running_request_per_model",
            "model",
            unique=True,
            sqlite_where=text(ALONE_OR_LEADING),
            postgresql_where=text(ALONE_OR_LEADING),
        ),
        # Of a hundred thousand requests each of these questions reads what it answers, and little more.
        Index("requests_in_order", *IN_ORDER),
        Index("requests_by_due_day", "state", *IN_ORDER),
        Index("requests_of_a_model", "model", "state", *IN_ORDER),
        Index("requests_to_claim", *IN_ORDER, sqlite_where=text(CLAIMABLE), postgresql_where=text(CLAIMABLE)),
        Index("requests_begun", "model", sqlite_where=text(BEGUN), postgresql_where=text(BEGUN)),
        Index("requests_that_wait", "waits_until", sqlite_where=text(WAITS), postgresql_where=text(WAITS)),
    )

    id: Mapped[str] = mapped_column(String(63), primary_key=True)
    request: Mapped[str] = mapped_column(Text)
    model: Mapped[str] = mapped_column(Text)
    basis: Mapped[str] = mapped_column(String(16))
    received: Mapped[str] = mapped_column(String(20))
    due: Mapped[str] = mapped_column(String(10))
    state: Mapped[RequestState] = mapped_column(String(16))
    attempts: Mapped[int] = mapped_column(default=0)
    worker: Mapped[str | None] = mapped_column(Text, default=None)
    lease_until: Mapped[str | None] = mapped_column(String(20), default=None)
    leader: Mapped[str | None] = mapped_column(String(63), default=None)
    waits_until: Mapped[str | None] = mapped_column(String(20), default=None)


class BatchRow(Tables):
    """How the requests on a model wait for one another: its policy, as last seen in a checkout."""

    __tablename__ = "deletion_batches"

    model: Mapped[str] = mapped_column(Text, primary_key=True)
    wait_h: Mapped[float]
    at_most: Mapped[int]


class EventRow(Tables):
    """An event and its digest. Rows are only ever added, each with the next number."""

    __tablename__ = "deletion_events"

    sequence: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    schema_version: Mapped[str] = mapped_column(String(32))
    time: Mapped[str] = mapped_column(String(20))
    request: Mapped[str] = mapped_column(ForeignKey("deletion_requests.id"), index=True)
    action: Mapped[str] = mapped_column(String(16))
    actor: Mapped[str] = mapped_column(Text)
    before: Mapped[str | None] = mapped_column(String(16))
    after: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str | None] = mapped_column(Text)
    submission: Mapped[str] = mapped_column(String(71))
    previous: Mapped[str | None] = mapped_column(String(71), unique=True)
    digest: Mapped[str] = mapped_column(String(71), unique=True)
    policy: Mapped[str | None] = mapped_column(String(71))
    run: Mapped[str | None] = mapped_column(String(16))
    deletion: Mapped[str | None] = mapped_column(String(71))


def row_of_submission(submission: Submission) -> RequestRow:
    """Return the row of a new request; an event has yet to set its state."""
    columns = submission.model_dump(mode="json", include={"model", "basis", "received", "due"})
    return RequestRow(id=submission.request.id, request=submission.request.canonical().decode(), **columns)


def submission_of(row: RequestRow | Row[Any]) -> Submission:
    """Read what was asked for.

    Args:
        row: The request's row.

    Returns:
        The submission.

    Raises:
        EvidenceError: If the row is no longer that of a valid request, or of one with this id.
    """
    columns = {name: getattr(row, name) for name in ("model", "basis", "received", "due")}
    try:
        asked = Submission(request=DeletionRequest.parse(row.request), **columns)
    except (ConfigurationError, ValidationError) as error:
        told = describe("Submission", error, quotes=False) if isinstance(error, ValidationError) else error
        raise EvidenceError(f"request {row.id!r} is not as it was written: {told}") from error
    if asked.request.id != row.id:
        raise EvidenceError(f"request {row.id!r} was renamed: what was asked for is {asked.request.id!r}")
    return asked


def entry_of(row: RequestRow | Row[Any]) -> Entry:
    """Read a request's current state.

    Args:
        row: The request's row.

    Returns:
        The request.

    Raises:
        EvidenceError: If the row is no longer that of a valid request, or of one with this id.
    """
    standing = {name: getattr(row, name) for name in _STANDING}
    try:
        return Entry(submission=submission_of(row), **standing)
    except ValidationError as error:
        told = describe("Entry", error, quotes=False)
        raise EvidenceError(f"request {row.id!r} is not as it was written: {told}") from error


def row_of_event(event: LedgerEvent) -> EventRow:
    """Return the row of an event."""
    return EventRow(**event.model_dump(mode="json"), digest=event.digest)


def event_of(row: EventRow | Row[Any]) -> LedgerEvent:
    """Read an event.

    Args:
        row: The event's row.

    Returns:
        The event.

    Raises:
        EvidenceError: If the row is no longer that of a valid event.
    """
    try:
        return LedgerEvent(**{name: getattr(row, name) for name in _OF_AN_EVENT})
    except ValidationError as error:
        told = describe("LedgerEvent", error, quotes=False)
        raise EvidenceError(f"the ledger is broken at event {row.sequence}: {told}") from error
