"""``lethe serve``: the same deployments from one process, in the checkout that it is started in."""

import subprocess
import sys
from pathlib import Path

import pytest
from company import POLICY, wait_until
from processes import Process
from world import make_checkout

from tasks.checkout.checkout import Checkout

pytestmark = pytest.mark.services


@pytest.fixture
def served_here(company, tmp_path):
    """A checkout in which ``lethe serve`` runs; afterwards the worker's deployments are as they were."""
    root = make_checkout(tmp_path / "project", policy=POLICY, registry={"model": "here"})
    for name in ("tasks.py", "flows/__init__.py"):
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text("raise ImportError('not Lethe's own')\n")
    environment = company.stack.process_environment()
    del environment["LETHE_PROJECTS"]
    command = [str(Path(sys.executable).with_name("lethe")), "serve"]
    process = Process("serve", command, environment, tmp_path, mark="serve", at=root)
    process.start()
    try:
        wait_until("it serves", lambda: "Your deployments are being served" in process.tail())
        assert "runs work in this very checkout, project" in process.tail()
        yield root
    finally:
        process.kill()
        company.stack.deploy()


def test_a_submitted_request_is_served_in_the_checkout(company, served_here):
    company.submit("at-home", "3", model="here")
    company.completed("at-home")
    assert Checkout(served_here).certificate("at-home").is_file()
    status = subprocess.run(["dvc", "status"], cwd=served_here, capture_output=True, text=True, check=True)
    assert status.stdout.strip() == "Data and pipelines are up to date."
