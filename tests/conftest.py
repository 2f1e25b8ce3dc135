"""What every test stands on: keys and Prefect's state in temporary folders, one thread, no telemetry."""

import os

import pytest
import torch

from tasks.environment import silence_telemetry
from tasks.keys import init_keys


@pytest.fixture(scope="session", autouse=True)
def own_folders(tmp_path_factory):
    """Set before Prefect is imported, which reads its folder once; nobody's own keys are touched."""
    silence_telemetry()
    home = tmp_path_factory.mktemp("home")
    os.environ["PREFECT_HOME"] = str(home / "prefect")
    os.environ["LETHE_HOME"] = str(home / "lethe")
    for name in ("LETHE_SIGNING_KEY", "LETHE_PSEUDONYM_KEY", "MLFLOW_TRACKING_URI"):
        os.environ.pop(name, None)
    init_keys(home / "lethe")
    return home


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    torch.set_num_threads(1)
