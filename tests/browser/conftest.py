"""Real deletions in a real browser: their reports, and the pages of MLflow and Prefect about them."""

import shutil
from pathlib import Path

import pytest
from door import serve_three
from servers import both
from world import ROOT, SMALL, clone, make_checkout

from flows.stages.pipeline import DELETION, PREPARATION, run_due
from tasks.checkout.checkout import Checkout
from tasks.checkout.params import read_values

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
SWITCHES = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def pytest_report_header() -> str:
    """Say which browser the pages are opened in."""
    return f"browser: {CHROMIUM or 'none found; install Chromium'}"


@pytest.fixture(scope="session")
def project(own_folders, tmp_path_factory) -> Path:
    """A checkout in which a method that forgets nothing is tried first, and then one that behaves."""
    policy = read_values(ROOT)["policy"]
    ladder = {"classes": ["finetune", "svd", "retrain"], "samples": ["finetune", "retrain"]}
    parent = {**SMALL["parent"], "recipe": {**SMALL["parent"]["recipe"], "epochs": 12}}
    return make_checkout(
        tmp_path_factory.mktemp("origin") / "project",
        policy={**policy, "ladder": ladder},
        parent=parent,
        methods={"svd": {}, "finetune": {}, "retrain": {}},
    )


@pytest.fixture(scope="session")
def report(project, tmp_path_factory) -> Path:
    """The report of a deletion on digits."""
    root = clone(project, tmp_path_factory.mktemp("reported") / "project")
    for name, stage in {**PREPARATION, **DELETION}.items():
        run_due(Checkout(root), name, stage)
    return root / "evidence" / "demo" / "report.html"


@pytest.fixture(scope="session")
def door(project, tmp_path_factory):
    """Both servers, after three deletions."""
    folder = tmp_path_factory.mktemp("servers")
    with both(folder) as (mlflow, prefect):
        yield serve_three(clone(project, folder / "project"), mlflow.address, prefect.address)


@pytest.fixture(scope="session")
def browser():
    """Chromium, without a window and without a network of its own."""
    from playwright.sync_api import sync_playwright

    assert CHROMIUM, "no Chromium on the path; on Debian: apt-get install chromium"
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=SWITCHES)
        yield chromium
        chromium.close()
