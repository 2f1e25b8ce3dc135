"""Requests that are served in one run: each is running, and one of them stands for all."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the leader of a group, and let it alone take its model's place."""
    op.add_column("deletion_requests", sa.Column("leader", sa.String(63)))
    op.drop_index("one_running_request_per_model", "deletion_requests")
    leading = sa.text("state = 'running' AND (leader IS NULL OR leader = id)")
    op.create_index(
        "one_running_request_per_model",
        "deletion_requests",
        ["model"],
        unique=True,
        sqlite_where=leading,
        postgresql_where=leading,
    )
