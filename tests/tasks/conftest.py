import pytest

from tasks.tracking import connect, deletion_run
from unlearn_core.records.base import sha256


@pytest.fixture(scope="session")
def mlflow_root(tmp_path_factory):
    return tmp_path_factory.mktemp("store")


@pytest.fixture
def tracking(mlflow_root, monkeypatch):
    """A real store; one for all tests, since making its database takes seconds."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return connect(mlflow_root)


@pytest.fixture
def key(request):
    """A deletion key of the test's own, so that tests share the store and nothing else."""
    return sha256(request.node.nodeid.encode())


@pytest.fixture
def run(tracking, key):
    return deletion_run(tracking, request_id="demo", key=key)
