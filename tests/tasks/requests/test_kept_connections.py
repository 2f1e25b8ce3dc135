"""A server's connections are kept for the next transaction, and never shared with another process."""

import gc
import os

import pytest
from sqlalchemy import text

from tasks.requests.ledger.database import open_engine
from tasks.requests.ledger.ledger import connect
from tasks.requests.ledger.schema import bring_up_to_date

pytestmark = [
    pytest.mark.services,
    pytest.mark.parametrize("ledger_url", ["postgresql"], indirect=True),
]


def backend(engine):
    with engine.connect() as connection:
        return connection.scalar(text("SELECT pg_backend_pid()"))


@pytest.fixture
def kept(ledger_url):
    engine = open_engine(ledger_url, keep=True)
    yield engine
    engine.dispose()


def test_a_connection_is_kept_and_one_that_was_lost_is_replaced(kept, engine):
    first = backend(kept)
    assert backend(kept) == first
    with engine.begin() as other:
        other.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": first})
    assert backend(kept) != first


def test_a_forked_process_does_not_talk_over_its_parents_connection(kept):
    first = backend(kept)
    if (child := os.fork()) == 0:
        try:
            os._exit(0 if backend(kept) != first else 1)
        finally:
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert backend(kept) == first


def test_a_ledger_that_is_let_go_leaves_no_connection(ledger_url, engine, monkeypatch):
    monkeypatch.setenv("LETHE_DATABASE_URL", ledger_url.render_as_string(hide_password=False))
    bring_up_to_date(engine)
    ledger = connect(None)
    assert ledger.head() is None
    count = text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
    with engine.connect() as watching:
        assert watching.scalar(count) == 2
        del ledger
        gc.collect()
    with engine.connect() as watching:
        for _ in range(100):
            if (left := watching.scalar(count)) == 1:
                break
            watching.rollback()
            watching.execute(text("SELECT pg_sleep(0.05)"))
        assert left == 1
