"""What ``lethe ui`` shows whoever opens it for the first time: the project's deletions, and nothing else.

Each of these must turn red: MLflow's own first page; its assistant, open or closed; its notice that it
collects usage statistics.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from servers import await_page, free_port
from world import NOISE

pytestmark = [*NOISE, pytest.mark.browser]


@pytest.fixture(scope="module")
def address(report):
    """The address of the pages about the project that the report is of."""
    port, root = free_port(), report.parents[2]
    environment = {name: value for name, value in os.environ.items() if name != "MLFLOW_TRACKING_URI"}
    lethe = [str(Path(sys.executable).with_name("lethe")), "ui", "--port", str(port)]
    process = subprocess.Popen(lethe, cwd=root, env=environment, stdout=subprocess.PIPE, text=True)
    said = process.stdout.readline()
    await_page(process, f"http://127.0.0.1:{port}/health")
    yield said.split()[-1]
    process.send_signal(signal.SIGINT)
    process.wait(timeout=15)


@pytest.fixture(scope="module")
def page(address, browser):
    context = browser.new_context(viewport={"width": 1440, "height": 1000})
    page = context.new_page()
    page.goto(address)
    page.get_by_text("one run per deletion request").wait_for(timeout=40_000)
    yield page
    context.close()


def test_it_opens_on_the_deletions_of_the_project(page):
    assert "/runs?workflowType=machine_learning" in page.url
    page.get_by_text("behaves, not removed").first.wait_for()


def test_neither_an_assistant_nor_usage_statistics_are_there(page):
    assert page.locator("[data-assistant-ui]").locator("visible=true").count() == 0
    page.goto(page.url.partition("#")[0] + "#/settings")
    page.get_by_text("telemetry").first.wait_for(timeout=40_000)
    assert page.get_by_text("collects usage data").locator("visible=true").count() == 0
    assert (
        page.get_by_role("switch", name="telemetry")
        .or_(page.locator("[role=switch]"))
        .first.get_attribute("aria-checked")
        == "false"
    )
