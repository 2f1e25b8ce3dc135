"""The ledger's tables. The migrations create them, and the triggers that keep events unchanged."""

import json

from sqlalchemy import ForeignKey, Index, String, Text, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from unlearn_core.errors import ConfigurationError, EvidenceError
from unlearn_core.kinds import RequestState
from unlearn_core.records.base import canonical_json
from unlearn_core.records.ledger import Entry, LedgerEvent, Submission

ALONE_OR_LEADING = "state = 'running' AND (leader IS NULL OR leader = id)"


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
        Index("requests_by_due_day", "state", "due"),
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


def submission_of(row: RequestRow) -> Submission:
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
        asked = Submission.parse(canonical_json({**columns, "request": json.loads(row.request)}))
    except (ConfigurationError, ValueError) as error:
        raise EvidenceError(f"request {row.id!r} is not as it was written: {error}") from error
    if asked.request.id != row.id:
        raise EvidenceError(f"request {row.id!r} was renamed: what was asked for is {asked.request.id!r}")
    return asked


def entry_of(row: RequestRow) -> Entry:
    """Read a request's current state.

    Args:
        row: The request's row.

    Returns:
        The request.

    Raises:
        EvidenceError: If the row is no longer that of a valid request, or of one with this id.
    """
    standing = {name: getattr(row, name) for name in ("state", "attempts", "worker", "lease_until", "leader")}
    asked = submission_of(row).model_dump(mode="json")
    try:
        return Entry.parse(canonical_json({**standing, "submission": asked}))
    except ConfigurationError as error:
        raise EvidenceError(f"request {row.id!r} is not as it was written: {error}") from error


def row_of_event(event: LedgerEvent) -> EventRow:
    """Return the row of an event."""
    return EventRow(**event.model_dump(mode="json"), digest=event.digest)


def event_of(row: EventRow) -> LedgerEvent:
    """Read an event.

    Args:
        row: The event's row.

    Returns:
        The event.

    Raises:
        EvidenceError: If the row is no longer that of a valid event.
    """
    columns = {name: getattr(row, name) for name in LedgerEvent.model_fields}
    try:
        return LedgerEvent.parse(canonical_json(columns))
    except ConfigurationError as error:
        raise EvidenceError(f"the ledger is broken at event {row.sequence}: {error}") from error
