"""Alembic's entry: run the migrations on the given connection, inside its transaction."""

from alembic import context

from tasks.requests.ledger.schema import VERSION_TABLE
from tasks.requests.ledger.tables import Tables

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Tables.metadata,
    version_table=VERSION_TABLE,
)
context.run_migrations()
