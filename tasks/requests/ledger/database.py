"""The ledger's database: where it is, how it is opened, and errors that never reveal a password."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, DisconnectionError, NoSuchModuleError
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from tasks.checkout.checkout import Checkout
from tasks.checkout.environment import outside_of_projects, working_folder
from tasks.checkout.settings import LedgerSettings
from unlearn_core.errors import SetupError

_VARIABLE = "LETHE_DATABASE_URL"
DRIVERS = {
    "sqlite": "sqlite+pysqlite",
    "postgresql": "postgresql+psycopg",
    "postgres": "postgresql+psycopg",
}
WRITE_LOCK = 0x1E7F
WAIT_S = 30
"""How long to wait for a server's response, and for another process's lock."""
POSTGRESQL_WAITS = {
    "connect_timeout": WAIT_S,
    # Detect a server that vanished silently: a worker that waits for it sends no heartbeats.
    "tcp_user_timeout": 1000 * WAIT_S,
    "keepalives_idle": WAIT_S // 3,
    "keepalives_interval": WAIT_S // 3,
    "keepalives_count": 2,
}
KEPT = {"pool_size": 2, "max_overflow": -1, "pool_pre_ping": True}
"""How many connections of a server are kept: one for the work, one for its heartbeats."""
EXPECTED = (
    "expected sqlite:///FILE or postgresql://USER:PASSWORD@HOST/DATABASE, with %40 for an @ in a password"
)


def ledger_url(root: Path | None) -> URL:
    """Return where the ledger is.

    Args:
        root: The checkout, if there is one.

    Returns:
        ``LETHE_DATABASE_URL`` if that is set, else the SQLite file ``requests/ledger.db`` of the checkout.

    Raises:
        SetupError: If neither exists, or the variable is not the URL of a database that Lethe can use; the
            message does not quote it.
    """
    if given := LedgerSettings.read().database_url:
        return read_url(given.get_secret_value())
    if root is None:
        raise SetupError(f"{outside_of_projects(working_folder())}; or set {_VARIABLE}: {EXPECTED}")
    return URL.create(DRIVERS["sqlite"], database=str(Checkout(root).ledger))


def read_url(given: str) -> URL:
    """Read a URL; errors do not quote it, since it may hold a password."""
    try:
        url = make_url(given)
    except (ArgumentError, ValueError):
        raise SetupError(f"{_VARIABLE} is not a URL; {EXPECTED}") from None
    backend = url.get_backend_name()
    if backend not in DRIVERS or not url.database or "@" in f"{url.host}{url.database}":
        raise SetupError(f"{_VARIABLE} does not name a database that Lethe can use; {EXPECTED}")
    return url.set(drivername=DRIVERS[backend])


def place_of(url: URL) -> str:
    """Return a URL without user name, password and options: safe for people and logs."""
    host = f"{url.host or ''}{f':{url.port}' if url.port else ''}"
    return f"{url.get_backend_name()}://{host}/{url.database}"


def is_absent(url: URL) -> bool:
    """Tell whether a SQLite file is missing: opening it would create it. A server counts as present."""
    return url.get_backend_name() == "sqlite" and not Path(str(url.database)).is_file()


def open_engine(url: URL, *, keep: bool = False) -> Engine:
    """Open a database lazily: nothing is connected before the first transaction.

    Args:
        url: As ``ledger_url`` returns it.
        keep: Keep a server's connections for the next transaction, since to connect with a password takes
            longer than most changes. One that was lost meanwhile is replaced, and a forked process opens its
            own. Whoever asks for it disposes of the engine. Otherwise each transaction opens its own
            connection, and closes it.

    Returns:
        The engine. Only a transaction on ``engine.execution_options(writes=True)`` writes.

    Raises:
        SetupError: If the driver is not installed.
    """
    sqlite = url.get_backend_name() == "sqlite"
    waits = {"timeout": WAIT_S} if sqlite else POSTGRESQL_WAITS
    pool = KEPT if keep and not sqlite else {"poolclass": NullPool}
    try:
        engine = create_engine(url, hide_parameters=True, connect_args=waits, **pool)
    except (ImportError, NoSuchModuleError) as error:
        raise SetupError(
            "PostgreSQL needs psycopg: run `pip install 'lethe-unlearning[postgres]'`"
        ) from error
    if sqlite:
        event.listen(engine, "connect", _leave_transactions_to_us)
    event.listen(engine, "connect", _note_process)
    event.listen(engine, "checkout", _refuse_another_process)
    event.listen(engine, "begin", _begin_sqlite if sqlite else _begin_postgresql)
    return engine


def _leave_transactions_to_us(connection, _record) -> None:
    """Keep Python's driver from beginning transactions itself, late and without a lock."""
    connection.isolation_level = None
    connection.execute("PRAGMA foreign_keys = ON")


def _note_process(_connection, record) -> None:
    record.info["process"] = os.getpid()


def _refuse_another_process(_connection, record, proxy) -> None:
    """Keep a forked process from talking over its parent's connection; the pool opens another one."""
    if record.info["process"] != os.getpid():
        record.dbapi_connection = proxy.dbapi_connection = None
        raise DisconnectionError("this connection belongs to another process")


def _begin_sqlite(connection: Connection) -> None:
    """Begin a transaction; one that writes takes the lock at once, so that what it reads stays true."""
    writes = connection.get_execution_options().get("writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _begin_postgresql(connection: Connection) -> None:
    """Limit the wait for a lock that somebody else holds."""
    connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{WAIT_S}s'")


@contextmanager
def database_explained(url: URL) -> Iterator[None]:
    """Turn the database's errors into one of Lethe's, without parameters and passwords.

    Args:
        url: The database.

    Yields:
        Nothing.

    Raises:
        SetupError: If the database could not be reached, or refused.
    """
    try:
        yield
    except DBAPIError as error:
        said = re.sub(r"\s+", " ", str(error.orig)).strip(" .")
        if url.password:
            said = said.replace(str(url.password), "***")
        raise SetupError(
            f"the ledger at {place_of(url)} cannot be used: {said}. Nothing was changed; if the connection "
            "broke at the very end, run the command again: it does nothing twice"
        ) from None


@contextmanager
def writing(engine: Engine) -> Iterator[Session]:
    """Begin a transaction with no other writer alongside; it is committed whole or not at all."""
    with (
        database_explained(engine.url),
        Session(engine.execution_options(writes=True)) as session,
        session.begin(),
    ):
        if engine.dialect.name == "postgresql":
            # Not a lock on a table: that would need a right to change its rows.
            session.execute(text(f"SELECT pg_advisory_xact_lock({WRITE_LOCK})"))
        yield session
        # A request's row is there before the events that name it.
        session.flush()
        session.add_all(added_rows(session))


def added_rows(session: Session) -> list[Any]:
    """Return the rows that a transaction adds at its end, all at once; more can be appended."""
    return session.info.setdefault("added", [])


@contextmanager
def reading(engine: Engine) -> Iterator[Session]:
    """Begin a transaction that sees a consistent snapshot of the ledger."""
    moment = {"isolation_level": "REPEATABLE READ"} if engine.dialect.name == "postgresql" else {}
    with (
        database_explained(engine.url),
        Session(engine.execution_options(**moment)) as session,
        session.begin(),
    ):
        yield session
