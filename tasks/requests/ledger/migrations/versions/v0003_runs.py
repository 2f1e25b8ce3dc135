"""Runs of a request in its events: the policy, the result, the record. What was asked for is fixed."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

ASKED = ("id", "request", "model", "basis", "received", "due")
SQLITE = (
    f"""CREATE TRIGGER requests_stay_as_received BEFORE UPDATE OF {", ".join(ASKED)} ON deletion_requests
    BEGIN SELECT RAISE(ABORT, 'what was asked for is never changed'); END""",
)
POSTGRESQL = (
    """CREATE FUNCTION refuse_to_change_a_request() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'what was asked for is never changed'; END $$""",
    f"""CREATE TRIGGER requests_stay_as_received BEFORE UPDATE OF {", ".join(ASKED)} ON deletion_requests
    FOR EACH ROW EXECUTE FUNCTION refuse_to_change_a_request()""",
)


def upgrade() -> None:
    """Add the columns and the trigger."""
    for name, length in (("policy", 71), ("run", 16), ("deletion", 71)):
        op.add_column("deletion_events", sa.Column(name, sa.String(length)))
    for statement in SQLITE if op.get_context().dialect.name == "sqlite" else POSTGRESQL:
        op.execute(statement)
