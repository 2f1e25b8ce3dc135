"""The version in use, read without MLflow, is the one that MLflow names."""

import shutil
import subprocess
import sys

import pytest
from world import files_of

from tasks.checkout.tags import Tag
from tasks.tracking.in_use import read_champion
from tasks.tracking.registry import champion, promote
from tasks.tracking.runs import open_tracking
from tasks.tracking.server import serve_ui
from unlearn_core.errors import SetupError


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """A store with two versions, of which the first is in use."""
    folder = tmp_path_factory.mktemp("in use")
    tracking = open_tracking(folder, "digits")
    tracking.client.create_registered_model("digits")
    for number in ("1", "2"):
        tags = {Tag.REQUEST: f"r-{number}", Tag.METHOD: "svd"}
        tracking.client.create_model_version("digits", str(folder), tags=tags)
    promote(tracking, "digits", 1)
    return folder, tracking


def test_it_is_the_one_that_mlflow_names(store):
    folder, tracking = store
    assert read_champion(folder, "digits") == champion(tracking, "digits")
    promote(tracking, "digits", 2)
    found = read_champion(folder, "digits")
    assert found == champion(tracking, "digits")
    assert found is not None
    assert (found.version, found.tags[Tag.REQUEST]) == (2, "r-2")


def test_a_model_without_one_and_a_folder_without_a_store_have_none(store, tmp_path):
    assert read_champion(store[0], "cifar") is None
    assert read_champion(tmp_path, "digits") is None
    assert list(tmp_path.iterdir()) == []


def test_reading_it_loads_no_mlflow_and_changes_no_byte(store, tmp_path):
    place = shutil.copytree(store[0], tmp_path / "copy")
    before = files_of(place)
    code = (
        "import sys, pathlib; from tasks.tracking.in_use import read_champion; "
        "print(read_champion(pathlib.Path(sys.argv[1]), 'digits').name, 'mlflow' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(place)], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["digits", "False"]
    assert files_of(place) == before


def test_a_taken_port_is_told_before_a_store_is_made(tmp_path):
    import socket

    with socket.create_server(("127.0.0.1", 0)) as other, pytest.raises(SetupError, match="is taken"):
        serve_ui(tmp_path, other.getsockname()[1], model="digits", tell=print)
    assert list(tmp_path.iterdir()) == []
