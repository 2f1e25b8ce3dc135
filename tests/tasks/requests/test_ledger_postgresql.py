"""What only a server can do to a ledger: hold rows, ask for a password, be of another version."""

import os
import socket

import pytest
from ledgers import draft, enter

from tasks.requests.ledger.database import open_engine
from tasks.requests.ledger.ledger import connect
from tasks.requests.ledger.schema import bring_up_to_date
from unlearn_core.errors import SetupError

pytestmark = [
    pytest.mark.services,
    pytest.mark.parametrize("ledger_url", ["postgresql"], indirect=True),
]


def test_a_row_that_somebody_has_locked_by_hand_is_passed_over(ledger, engine):
    enter(ledger, "r-1", draft("r-2", model="cifar"))
    with engine.begin() as connection:
        connection.exec_driver_sql("SELECT * FROM deletion_requests WHERE id = 'r-1' FOR UPDATE")
        assert ledger.claim("w")[0].id == "r-2"


def test_a_lock_that_nobody_gives_back_is_one_message(ledger, engine, monkeypatch):
    enter(ledger, "r-1")
    monkeypatch.setattr("tasks.requests.ledger.database.WAIT_S", 1)
    with engine.begin() as connection:
        connection.exec_driver_sql("LOCK TABLE deletion_events IN EXCLUSIVE MODE")
        with pytest.raises(SetupError, match=r"cannot be used: .*lock timeout"):
            ledger.claim("w")
        assert ledger.head() is not None, "readers do not wait for writers"
    assert ledger.claim("w")[0].id == "r-1"


def test_tables_are_made_on_request_alone(ledger_url, monkeypatch):
    monkeypatch.setenv("LETHE_DATABASE_URL", ledger_url.render_as_string(hide_password=False))
    with pytest.raises(SetupError, match=r"has version none, .* run `lethe db upgrade`"):
        connect(None)
    bring_up_to_date(open_engine(ledger_url))
    assert connect(None).entries() == ()


@pytest.mark.parametrize("part", [{"password": "s3cret"}, {"database": "nowhere"}, {"port": 1}])
def test_a_server_that_refuses_is_one_message_without_a_password(ledger_url, monkeypatch, part):
    url = ledger_url.set(password="s3cret").set(**part)
    monkeypatch.setenv("LETHE_DATABASE_URL", url.render_as_string(hide_password=False))
    with pytest.raises(SetupError) as refused:
        connect(None)
    assert f"the ledger at postgresql://127.0.0.1:{url.port}/{url.database} cannot be used: " in str(
        refused.value
    )
    assert "s3cret" not in str(refused.value)


def test_a_server_that_went_away_and_came_back_is_found_again(ledger, engine):
    enter(ledger, "r-1")
    with engine.connect() as other:
        mine = "pid <> pg_backend_pid() AND datname = current_database()"
        other.exec_driver_sql(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {mine}")
    assert ledger.claim("w")[0].id == "r-1"


def test_a_server_that_is_gone_without_a_word_is_not_waited_for_for_ever(engine):
    with engine.connect() as connection:
        own = connection.connection.driver_connection
        with socket.socket(fileno=os.dup(own.fileno())) as line:
            assert line.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 30_000
            assert line.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
            assert line.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) <= 10
