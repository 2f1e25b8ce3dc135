"""A Prefect server, two tellings of one deletion, a wheel, and what tests of a served request start from."""

import subprocess
import sys
from pathlib import Path

import pytest
from built_wheel import Environment, build_wheel, install
from story import reproduce, tell
from templates import copied
from world import clone, make_checkout


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
    return make_checkout(tmp_path_factory.mktemp("origin") / "project")


@pytest.fixture(scope="session")
def reproduced(project, tmp_path_factory):
    return reproduce(clone(project, tmp_path_factory.mktemp("reproduced") / "project"))


@pytest.fixture(scope="session")
def story(project, prefect_server, tmp_path_factory):
    return tell(clone(project, tmp_path_factory.mktemp("story") / "project"))


@pytest.fixture(scope="session")
def wheel(tmp_path_factory):
    """Lethe as a wheel, built from this repository."""
    return build_wheel(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="session")
def environment(wheel):
    """A virtual environment with the wheel in it."""
    made = Environment(wheel.with_name("venv"), wheel)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(made.folder)], check=True)
    install(wheel, made.folder)
    return made


@pytest.fixture
def copy(served, tmp_path):
    """The module's ``served`` checkout once more, with a tracking store and DVC's cache of its own."""
    return copied(served, tmp_path / "project")


@pytest.fixture
def bucket(bucket, monkeypatch):
    """The store of evidence: a bucket of the test's own, which the environment names."""
    monkeypatch.setenv("LETHE_S3_BUCKET", bucket)
    monkeypatch.setenv("LETHE_S3_PREFIX", "audit")
    return bucket
