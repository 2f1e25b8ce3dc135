"""One cluster of three nodes for all tests that are marked ``cluster``."""

from importlib.util import find_spec

import pytest
from cluster_nodes import Nodes


@pytest.fixture(scope="session")
def cluster(tmp_path_factory):
    """The running cluster, or a skip that says what is missing."""
    if find_spec("ray") is None:
        pytest.skip("Ray is not installed here: pip install --constraint constraints.txt ray")
    nodes = Nodes(tmp_path_factory.mktemp("ray") / "nodes.log", count=3)
    yield nodes
    nodes.close()


@pytest.fixture
def on_cluster(cluster, monkeypatch):
    """The cluster, which this process and what it starts run many trainings on."""
    monkeypatch.setenv("LETHE_RUNNER", "ray")
    monkeypatch.setenv("RAY_ADDRESS", cluster.address)
    return cluster
