"""What the role of a worker may do on a PostgreSQL server: claim requests, add events, and nothing else."""

from sqlalchemy import Engine, text

from tasks.requests.ledger.database import database_explained
from tasks.requests.ledger.schema import VERSION_TABLE, require_current
from unlearn_core.errors import SetupError

WORKER = {
    "deletion_requests": "SELECT, INSERT, UPDATE (state, attempts, worker, lease_until, leader, waits_until)",
    "deletion_events": "SELECT, INSERT",
    "deletion_batches": "SELECT, INSERT, UPDATE, DELETE",
    VERSION_TABLE: "SELECT",
}
"""The privileges on each table. Only its owner may alter it, or switch off its triggers."""

_ACTS_AS_OWNER = text(
    "SELECT rolsuper OR pg_has_role(oid, current_user, 'MEMBER') FROM pg_roles WHERE rolname = :role"
)


def grant_worker(engine: Engine, role: str) -> None:
    """Let a role use the ledger, and take away whatever else it was granted on the tables.

    Args:
        engine: The database, as the owner of its tables.
        role: The worker's role; it is there, and is not the owner.

    Raises:
        SetupError: If this is no server, there is no such role, it owns the tables or is a superuser, or the
            tables are not of this version.
    """
    if engine.dialect.name != "postgresql":
        raise SetupError("roles are PostgreSQL's: whoever may write a SQLite file may change all of it")
    require_current(engine)
    with database_explained(engine.url), engine.execution_options(writes=True).begin() as connection:
        known = connection.execute(_ACTS_AS_OWNER, {"role": role}).scalar()
        if known is None:
            raise SetupError(f"there is no role {role!r} on the server; create it first")
        if known:
            raise SetupError(
                f"the role {role!r} can act as the owner of the tables, who can switch off their triggers; "
                "name a role of the workers' own"
            )
        quoted = engine.dialect.identifier_preparer.quote(role)
        for table, privileges in WORKER.items():
            connection.exec_driver_sql(f"REVOKE ALL ON {table} FROM PUBLIC, {quoted}")
            connection.exec_driver_sql(f"GRANT {privileges} ON {table} TO {quoted}")
