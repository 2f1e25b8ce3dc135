"""One cluster of three nodes for all tests that are marked ``cluster``."""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

NODES = Path(__file__).with_name("three_nodes.py")


class ThreeNodes:
    """The cluster; the address is for ``RAY_ADDRESS``."""

    def __init__(self, log):
        self._log = log.open("wb")
        self._program = subprocess.Popen(
            [sys.executable, str(NODES)],
            cwd="/",
            env={**os.environ, "RAY_USAGE_STATS_ENABLED": "0"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )
        self.address = self._program.stdout.readline().strip()
        assert self.address, log.read_text()

    def ask(self, word):
        """Give an order, and return the answer."""
        self._program.stdin.write(f"{word}\n")
        self._program.stdin.flush()
        return self._program.stdout.readline().strip()

    def close(self):
        """Stop all nodes."""
        with self._program, self._log:
            self._program.stdin.close()
            self._program.wait(60)


@pytest.fixture(scope="session")
def cluster(tmp_path_factory):
    """The running cluster, or a skip that says what is missing."""
    if find_spec("ray") is None:
        pytest.skip("Ray is not installed here: pip install --constraint constraints.txt ray")
    nodes = ThreeNodes(tmp_path_factory.mktemp("ray") / "nodes.log")
    yield nodes
    nodes.close()


@pytest.fixture
def on_cluster(cluster, monkeypatch):
    """The cluster, which this process and what it starts run many trainings on."""
    monkeypatch.setenv("LETHE_RUNNER", "ray")
    monkeypatch.setenv("RAY_ADDRESS", cluster.address)
    return cluster
