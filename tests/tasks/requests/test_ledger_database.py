"""Which database the ledger is in, which version its tables have, and that no password is ever told."""

import re
import sys

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from ledgers import Clock, draft, enter
from sqlalchemy import URL, inspect, text

from tasks.requests.ledger.database import ledger_url as url_of
from tasks.requests.ledger.database import open_engine, place_of
from tasks.requests.ledger.ledger import Ledger, connect
from tasks.requests.ledger.schema import VERSION_TABLE, bring_up_to_date, current, newest, upgrade_to
from tasks.requests.ledger.tables import Tables
from unlearn_core.errors import SetupError

VARIABLE = "LETHE_DATABASE_URL"


@pytest.fixture
def elsewhere(monkeypatch):
    return lambda url: monkeypatch.setenv(VARIABLE, url)


def test_the_checkouts_own_ledger_is_beside_its_requests(tmp_path, monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    assert url_of(tmp_path).database == str(tmp_path / "requests" / "ledger.db")
    enter(connect(tmp_path), "r-1")
    assert [entry.id for entry in connect(tmp_path).entries()] == ["r-1"]
    assert [path.name for path in (tmp_path / "requests").iterdir()] == ["ledger.db"]


def test_without_a_checkout_somebody_must_say_where(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(VARIABLE, raising=False)
    with pytest.raises(SetupError, match=f"not in a Lethe project.*`lethe init`.*; or set {VARIABLE}"):
        url_of(None)


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg", "postgresql+asyncpg"])
def test_whatever_driver_a_url_names_lethe_takes_its_own(elsewhere, scheme):
    elsewhere(f"{scheme}://lethe:s3cret@db.example:5433/ledger?sslmode=require")
    url = url_of(None)
    assert (url.drivername, url.password) == ("postgresql+psycopg", "s3cret")
    assert place_of(url) == "postgresql://db.example:5433/ledger"


@pytest.mark.parametrize(
    "url",
    [
        "s3cret",
        "mysql://lethe:s3cret@db/ledger",
        "oracle+s3cret://db/ledger",
        "postgresql://lethe:s3cret@db",
        "postgresql://lethe:p@s3cret@db/ledger",
        "postgresql://lethe:x@db:s3cret/ledger",
        "sqlite://",
        "://",
    ],
)
def test_a_url_that_cannot_be_used_is_not_repeated(elsewhere, url):
    elsewhere(url)
    with pytest.raises(SetupError, match=r"expected sqlite:///FILE or postgresql://USER:PASSWORD") as refused:
        url_of(None)
    assert "s3cret" not in str(refused.value)


def test_a_server_that_is_not_there_is_one_message_without_a_password(elsewhere):
    elsewhere("postgresql://lethe:s3cret@127.0.0.1:1/ledger")
    said = "the ledger at postgresql://127.0.0.1:1/ledger cannot be used"
    with pytest.raises(SetupError, match=re.escape(said)) as refused:
        connect(None)
    assert "s3cret" not in str(refused.value)


def test_without_the_driver_it_says_what_to_install(elsewhere, monkeypatch):
    elsewhere("postgresql://lethe:s3cret@127.0.0.1:1/ledger")
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(SetupError, match=r"pip install 'lethe-unlearning\[postgres\]'"):
        connect(None)


def test_a_file_that_is_no_database_is_one_message(elsewhere, tmp_path):
    (tmp_path / "ledger.db").write_text("not a database, but a text that is long enough to be looked at" * 20)
    elsewhere(f"sqlite:///{tmp_path / 'ledger.db'}")
    with pytest.raises(SetupError, match="cannot be used: file is not a database"):
        connect(None)


def test_a_file_that_somebody_holds_is_one_message(elsewhere, tmp_path, monkeypatch):
    monkeypatch.setattr("tasks.requests.ledger.database.WAIT_S", 0.1)
    elsewhere(f"sqlite:///{tmp_path / 'ledger.db'}")
    ledger = connect(None)
    enter(ledger, "r-1")
    with ledger.engine.execution_options(writes=True).begin():
        with pytest.raises(SetupError, match="cannot be used: database is locked"):
            ledger.claim("w")
        assert ledger.head() is not None, "readers do not wait for writers"
    assert ledger.claim("w")[0].id == "r-1"


def test_the_migrations_make_the_tables_that_the_code_describes(engine):
    assert current(engine) is None
    assert bring_up_to_date(engine) == newest() == current(engine)
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"version_table": VERSION_TABLE, "compare_server_default": True}
        )
        assert compare_metadata(context, Tables.metadata) == []


def test_to_upgrade_twice_changes_nothing(ledger, engine):
    enter(ledger, "r-1")
    head = ledger.head()
    bring_up_to_date(engine)
    assert ledger.verify() == head


OLD = "0003"
"""The version of the tables before requests could wait for one another."""


def test_an_old_ledger_is_upgraded_and_loses_nothing(engine, tmp_path):
    made = Ledger(open_engine(URL.create("sqlite+pysqlite", database=str(tmp_path / "made.db"))), Clock())
    bring_up_to_date(made.engine)
    enter(made, "r-1", "r-2", draft("r-3", model="cifar"))
    made.claim("w")
    made.fail("r-1", "w", reason="no model was accepted")
    made.claim("w")
    with engine.execution_options(writes=True).begin() as connection:
        upgrade_to(connection, OLD)
        for table, dropped in (("deletion_requests", {"waits_until"}), ("deletion_events", set())):
            with made.engine.connect() as source:
                rows = [dict(row) for row in source.execute(text(f"SELECT * FROM {table}")).mappings()]
            columns = [name for name in rows[0] if name not in dropped]
            places = ", ".join(f":{name}" for name in columns)
            connection.execute(text(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({places})"), rows)
    assert current(engine) == OLD
    bring_up_to_date(engine)
    ledger = Ledger(engine, made.clock)
    assert ledger.verify() == made.verify()
    assert ledger.entries() == made.entries()
    assert [ledger.history(one)[1] for one in ("r-1", "r-2", "r-3")] == [
        made.history(one)[1] for one in ("r-1", "r-2", "r-3")
    ]
    made.engine.dispose()


def test_an_upgrade_that_breaks_leaves_nothing_behind(engine, monkeypatch):
    def stop(_metadata):
        raise RuntimeError

    monkeypatch.setattr("alembic.operations.Operations.create_index", stop)
    with pytest.raises((RuntimeError, TypeError)):
        bring_up_to_date(engine)
    assert inspect(engine).get_table_names() == []


def test_tables_of_a_newer_lethe_are_left_alone(ledger, engine, elsewhere):
    with engine.execution_options(writes=True).begin() as connection:
        connection.exec_driver_sql(f"UPDATE {VERSION_TABLE} SET version_num = '9999'")
    elsewhere(engine.url.render_as_string(hide_password=False))
    for wanted in (lambda: connect(None), lambda: bring_up_to_date(engine)):
        with pytest.raises(SetupError, match=r"version 9999, .*: a newer Lethe upgraded it"):
            wanted()


def test_opening_connects_to_nothing(elsewhere):
    elsewhere("postgresql://lethe:s3cret@127.0.0.1:1/ledger")
    open_engine(url_of(None))
