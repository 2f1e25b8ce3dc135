import pytest
from ledgers import Clock
from postgresql import find_programs, make_database, serve
from sqlalchemy import URL

from tasks.requests.ledger.database import open_engine
from tasks.requests.ledger.ledger import Ledger
from tasks.requests.ledger.schema import bring_up_to_date
from tasks.tracking.runs import deletion_run, open_tracking
from unlearn_core.records.base import sha256


@pytest.fixture(scope="session")
def mlflow_root(tmp_path_factory):
    return tmp_path_factory.mktemp("store")


@pytest.fixture
def tracking(mlflow_root, monkeypatch):
    """A real store; one for all tests, since making its database takes seconds."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return open_tracking(mlflow_root, "digits")


@pytest.fixture
def key(request):
    """A deletion key of the test's own, so that tests share the store and nothing else."""
    return sha256(request.node.nodeid.encode())


@pytest.fixture
def run(tracking, key):
    return deletion_run(tracking, request_id="demo", key=key)


@pytest.fixture(scope="session")
def postgresql():
    """The URL of a real server, or a skip that says what is missing."""
    if (programs := find_programs()) is None:
        pytest.skip("no PostgreSQL server here; on Debian: apt-get install postgresql")
    with serve(programs) as url:
        yield url


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.services)])
def ledger_url(request, tmp_path):
    """The URL of an empty database, of each kind."""
    if request.param == "sqlite":
        return URL.create("sqlite+pysqlite", database=str(tmp_path / "ledger.db"))
    return make_database(request.getfixturevalue("postgresql"))


@pytest.fixture
def engine(ledger_url):
    opened = open_engine(ledger_url)
    yield opened
    opened.dispose()


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def ledger(engine, clock):
    """An empty ledger."""
    bring_up_to_date(engine)
    return Ledger(engine, clock)
