"""One stack of real services for all tests that are marked ``services``."""

import pytest
from company import Company
from postgresql import find_programs
from stack import SHORTER, Stack


@pytest.fixture(scope="session")
def stack_settings():
    """Environment variables of all processes of the stack, over compose.yaml's: times, and nothing else."""
    return SHORTER


@pytest.fixture(scope="session")
def stack(tmp_path_factory, stack_settings):
    """The running services, or a skip that says what is missing."""
    if find_programs() is None:
        pytest.skip("no PostgreSQL server here; on Debian: apt-get install postgresql")
    running = Stack(tmp_path_factory.mktemp("stack"), stack_settings)
    try:
        running.open()
        yield running
    finally:
        running.close()


@pytest.fixture(scope="session")
def deployed(stack):
    """What is there once compose.yaml's job has run: keys, the ledger's tables, a pool, deployments."""
    stack.deploy()


@pytest.fixture(scope="session")
def company(stack, deployed, tmp_path_factory):
    """A company that has deployed Lethe to the services; it has no model yet."""
    desk = tmp_path_factory.mktemp("company") / "desk"
    desk.mkdir()
    return Company(stack, desk)
