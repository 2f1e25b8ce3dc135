"""Which version of the ledger's tables a database holds, and how it is upgraded to the newest."""

from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Connection, Engine

from tasks.checkout.files import make_database
from tasks.requests.ledger.database import database_explained, is_absent, open_engine, place_of
from unlearn_core.errors import SetupError

# Other libraries that use Alembic may share a PostgreSQL database; each has its own version table.
VERSION_TABLE = "lethe_ledger_version"
UPGRADE_LOCK = 0x1E7E


def newest() -> str:
    """Return the version that this code works with."""
    return str(_scripts().get_current_head())


def open_current(url: URL) -> Engine:
    """Open a ledger of this version; a SQLite file is created, or brought up to date, first.

    Args:
        url: The database.

    Returns:
        The engine, which keeps its connections.

    Raises:
        SetupError: If it cannot be reached, or the tables on a server are not of this version.
    """
    engine = open_engine(url, keep=True)
    if url.get_backend_name() != "sqlite":
        try:
            require_current(engine)
        except SetupError:
            engine.dispose()
            raise
        return engine
    made = Path(str(url.database))
    make_database(made, lambda path: bring_up_to_date(open_engine(url.set(database=str(path)))))
    if current(engine) != newest():
        bring_up_to_date(engine)
    return engine


def current(engine: Engine) -> str | None:
    """Return the version of a database.

    Args:
        engine: The database.

    Returns:
        The version; None if there are no tables yet.
    """
    if is_absent(engine.url):
        return None
    with database_explained(engine.url), engine.connect() as connection:
        return _version(connection)


def bring_up_to_date(engine: Engine) -> str:
    """Create the tables, or upgrade them to the newest version: wholly or not at all.

    Args:
        engine: The database.

    Returns:
        Their new version.

    Raises:
        SetupError: If a newer Lethe has upgraded them.
    """
    with database_explained(engine.url), engine.execution_options(writes=True).begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({UPGRADE_LOCK})")
        _refuse_newer(engine, _version(connection))
        upgrade_to(connection, "head")
    return newest()


def upgrade_to(connection: Connection, version: str) -> None:
    """Run the migrations up to a version, in the transaction of a connection."""
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, version)


def require_current(engine: Engine) -> None:
    """Refuse a database whose tables are not of the version that this code works with.

    Args:
        engine: The database.

    Raises:
        SetupError: If they are older, newer or missing; the message says what to do.
    """
    found = current(engine)
    _refuse_newer(engine, found)
    if found != newest():
        raise SetupError(
            f"the ledger at {place_of(engine.url)} has version {found or 'none'}, but Lethe needs "
            f"{newest()}; make a backup and run `lethe db upgrade`"
        )


def _refuse_newer(engine: Engine, found: str | None) -> None:
    known = {script.revision for script in _scripts().walk_revisions()}
    if found is not None and found not in known:
        raise SetupError(
            f"the ledger at {place_of(engine.url)} has version {found}, but Lethe needs {newest()}: "
            "a newer Lethe upgraded it; install that one"
        )


def _version(connection: Connection) -> str | None:
    return MigrationContext.configure(
        connection, opts={"version_table": VERSION_TABLE}
    ).get_current_revision()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")).replace("%", "%%"))
    return config


@cache
def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config())
