"""The triggers that keep the ledger's rows as they were written: are they as the migrations made them?"""

import re
from collections.abc import Iterator

from sqlalchemy import Connection

TABLES = ("deletion_events", "deletion_requests")
_IN_SQLITE = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"
# A trigger, when it fires, and what it calls. Columns have numbers, which are those of the tables' order.
_IN_POSTGRESQL = """
SELECT tgname, tgtype, tgattr::text, tgqual IS NULL, tgenabled, proname, prosrc
FROM pg_trigger JOIN pg_proc ON pg_proc.oid = tgfoid
WHERE NOT tgisinternal AND tgrelid IN ('deletion_events'::regclass, 'deletion_requests'::regclass)
"""
_TYPES = {
    "events_are_never_changed": (58, ""),  # for each statement, before an update, a delete or a truncate
    "events_are_numbered_in_turn": (7, ""),  # for each row, before an insert
    "requests_stay_as_received": (19, "1 2 3 4 5 6"),  # for each row, before an update of what was asked for
}


def trigger_problems(connection: Connection) -> Iterator[str]:
    """Yield which triggers are missing, changed, switched off, or not Lethe's.

    Args:
        connection: A connection to the ledger's database.

    Yields:
        One line each.
    """
    kind = connection.dialect.name
    found = _in_sqlite(connection) if kind == "sqlite" else _in_postgresql(connection)
    expected = _expected(kind)
    for name in sorted(expected.keys() | found.keys()):
        if name not in found:
            yield f"the trigger {name} is missing: rows that never change can be changed"
        elif name not in expected:
            yield f"the trigger {name} is not Lethe's"
        elif found[name] != expected[name]:
            yield f"the trigger {name} is not as it was made: rows that never change can be changed"


def _expected(kind: str) -> dict[str, object]:
    """Return what each trigger should be, in the form in which it is read."""
    statements = _statements(kind)
    made = {_word(sql, "TRIGGER"): sql for sql in statements if "CREATE TRIGGER" in sql}
    if kind == "sqlite":
        return {name: _plain(sql) for name, sql in made.items()}
    functions = {_word(sql, "FUNCTION"): sql.split("$$")[1] for sql in statements if "CREATE FUNCTION" in sql}
    calls = {name: re.findall(r"EXECUTE FUNCTION (\w+)", sql)[0] for name, sql in made.items()}
    return {name: (*_TYPES[name], calls[name], _plain(functions[calls[name]])) for name in made}


def _statements(kind: str) -> tuple[str, ...]:
    """Return the statements of the migrations that made the triggers."""
    # Migrations load Alembic, for which a command that only opens the ledger should not wait.
    from tasks.requests.ledger.migrations.versions import v0001_requests_and_events as first
    from tasks.requests.ledger.migrations.versions import v0003_runs as third

    if kind == "sqlite":
        return (*first.SQLITE, *third.SQLITE)
    return (*first.POSTGRESQL, *third.POSTGRESQL)


def _in_sqlite(connection: Connection) -> dict[str, object]:
    return {name: _plain(sql) for name, sql in connection.exec_driver_sql(_IN_SQLITE)}


def _in_postgresql(connection: Connection) -> dict[str, object]:
    return {
        # What is switched off, or has a condition, is as if it were changed.
        name: (kind, columns, function, _plain(body)) if always and enabled in {"O", "A"} else None
        for name, kind, columns, always, enabled, function, body in connection.exec_driver_sql(_IN_POSTGRESQL)
    }


def _word(sql: str, kind: str) -> str:
    """Return the name of what a statement makes."""
    return re.findall(rf"CREATE {kind} (\w+)", sql)[0]


def _plain(sql: str) -> str:
    return " ".join(sql.split())
