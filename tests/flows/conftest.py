"""A Prefect server, and the two tellings of one deletion."""

from pathlib import Path

import pytest
from story import reproduce, tell
from world import checkout, clone


@pytest.fixture(scope="session")
def prefect_server(own_folders):
    """Prefect's real server on a database of its own; yields the folder that everything of it is in."""
    from prefect.settings import PREFECT_API_DATABASE_CONNECTION_URL
    from prefect.testing.utilities import prefect_test_harness

    with prefect_test_harness(server_startup_timeout=120):
        yield Path(PREFECT_API_DATABASE_CONNECTION_URL.value().split("///")[1]).parent


@pytest.fixture(scope="session")
def project(tmp_path_factory):
    """What both drivers start from: one commit, with small settings."""
    return checkout(tmp_path_factory.mktemp("origin") / "project")


@pytest.fixture(scope="session")
def reproduced(project, tmp_path_factory):
    return reproduce(clone(project, tmp_path_factory.mktemp("reproduced") / "project"))


@pytest.fixture(scope="session")
def story(project, prefect_server, tmp_path_factory):
    return tell(clone(project, tmp_path_factory.mktemp("story") / "project"))
