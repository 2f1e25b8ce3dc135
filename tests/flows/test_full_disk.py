"""A disk that fills up while a request is served: a clean refusal, and later the same command goes on."""

import os
import shutil
import subprocess

import pytest
from tiny import prepared_tiny
from world import NOISE, lethe, run

from tasks.checkout.checkout import Checkout
from tasks.evidence.verification import verify_files
from tasks.tracking.runs import tracking_of

pytestmark = [*NOISE, pytest.mark.long]

DISK_MIB = 64


@pytest.fixture
def disk(own_folders, prefect_server, tmp_path):
    """A small disk of the test's own, with a project on it that has a model."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MIB}m", "tmpfs", str(place)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only who may mount a disk can fill one")
    prepared_tiny(place / "project")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


def fill(disk, left_kib):
    """Leave so much space on a disk, and return what takes up the rest."""
    state = os.statvfs(disk)
    ballast = disk / "ballast"
    with ballast.open("wb") as stream:
        stream.write(bytes(state.f_bavail * state.f_frsize - left_kib * 1024))
    return ballast


@pytest.mark.parametrize(
    "left_kib", [4, 600, *(pytest.param(kib, marks=pytest.mark.slow) for kib in (1500, 3000))]
)
def test_a_full_disk_is_refused_and_the_same_command_goes_on(disk, left_kib):
    project = disk / "project"
    ballast = fill(disk, left_kib)
    code, out, err = lethe(project, "delete", "r-1", "--class", "b")
    assert code in {2, 4}, out + err
    assert "Traceback" not in err
    assert not Checkout(project).released("r-1").exists()
    ballast.unlink()
    code, out, err = lethe(project, "delete", "r-1", "--class", "b")
    assert code == 0, out + err
    assert len(tracking_of(Checkout(project)).client.search_model_versions("name = 'digits'")) == 1
    verify_files(Checkout(project).certificate("r-1"))
    assert run(project, "dvc", "status").stdout.strip() == "Data and pipelines are up to date."
