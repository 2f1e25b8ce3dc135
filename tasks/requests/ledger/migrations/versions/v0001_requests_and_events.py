"""Requests, their events, and triggers that keep events as they were written."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

SQLITE = (
    """CREATE TRIGGER events_are_never_updated BEFORE UPDATE ON deletion_events
    BEGIN SELECT RAISE(ABORT, 'events of the ledger are never changed'); END""",
    """CREATE TRIGGER events_are_never_deleted BEFORE DELETE ON deletion_events
    BEGIN SELECT RAISE(ABORT, 'events of the ledger are never deleted'); END""",
    # Also against INSERT OR REPLACE, which deletes without asking the trigger above.
    """CREATE TRIGGER events_are_numbered_in_turn BEFORE INSERT ON deletion_events
    WHEN NEW.sequence <> (SELECT coalesce(max(sequence), 0) + 1 FROM deletion_events)
    BEGIN SELECT RAISE(ABORT, 'events of the ledger are numbered in turn'); END""",
)
POSTGRESQL = (
    """CREATE FUNCTION refuse_to_change_an_event() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'events of the ledger are never changed or deleted'; END $$""",
    """CREATE TRIGGER events_are_never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON deletion_events
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_change_an_event()""",
    """CREATE FUNCTION refuse_an_event_out_of_turn() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF NEW.sequence <> (SELECT coalesce(max(sequence), 0) + 1 FROM deletion_events) THEN
            RAISE EXCEPTION 'events of the ledger are numbered in turn';
        END IF;
        RETURN NEW;
    END $$""",
    """CREATE TRIGGER events_are_numbered_in_turn BEFORE INSERT ON deletion_events
    FOR EACH ROW EXECUTE FUNCTION refuse_an_event_out_of_turn()""",
)


def upgrade() -> None:
    """Make the tables and the triggers."""
    _make_requests()
    _make_events()
    for statement in SQLITE if op.get_context().dialect.name == "sqlite" else POSTGRESQL:
        op.execute(statement)


def _make_requests() -> None:
    op.create_table(
        "deletion_requests",
        sa.Column("id", sa.String(63), primary_key=True),
        sa.Column("request", sa.Text, nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("basis", sa.String(16), nullable=False),
        sa.Column("received", sa.String(20), nullable=False),
        sa.Column("due", sa.String(10), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("worker", sa.Text),
        sa.Column("lease_until", sa.String(20)),
    )
    running = sa.text("state = 'running'")
    op.create_index(
        "one_running_request_per_model",
        "deletion_requests",
        ["model"],
        unique=True,
        sqlite_where=running,
        postgresql_where=running,
    )
    op.create_index("requests_by_due_day", "deletion_requests", ["state", "due"])


def _make_events() -> None:
    op.create_table(
        "deletion_events",
        sa.Column("sequence", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("schema_version", sa.String(32), nullable=False),
        sa.Column("time", sa.String(20), nullable=False),
        sa.Column(
            "request", sa.String(63), sa.ForeignKey("deletion_requests.id"), nullable=False, index=True
        ),
        sa.Column("action", sa.String(16), nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("before", sa.String(16)),
        sa.Column("after", sa.String(16), nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("submission", sa.String(71), nullable=False),
        sa.Column("previous", sa.String(71), unique=True),
        sa.Column("digest", sa.String(71), nullable=False, unique=True),
    )
