"""Many requests: indexes for each question, and requests that wait for one another."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

IN_ORDER = ["due", "received", "id"]
INDEXES = {
    "requests_in_order": (IN_ORDER, None),
    "requests_by_due_day": (["state", *IN_ORDER], None),
    "requests_of_a_model": (["model", "state", *IN_ORDER], None),
    "requests_to_claim": (IN_ORDER, "state = 'received' AND waits_until IS NULL"),
    "requests_begun": (["model"], "leader IS NOT NULL"),
    "requests_that_wait": (["waits_until"], "waits_until IS NOT NULL"),
}


def upgrade() -> None:
    """Add the column, the table and the indexes; every row stays as it is."""
    op.add_column("deletion_requests", sa.Column("waits_until", sa.String(20)))
    op.create_table(
        "deletion_batches",
        sa.Column("model", sa.Text, primary_key=True),
        sa.Column("wait_h", sa.Float, nullable=False),
        sa.Column("at_most", sa.Integer, nullable=False),
    )
    op.drop_index("requests_by_due_day", "deletion_requests")
    for name, (columns, only) in INDEXES.items():
        where = None if only is None else sa.text(only)
        op.create_index(name, "deletion_requests", columns, sqlite_where=where, postgresql_where=where)
