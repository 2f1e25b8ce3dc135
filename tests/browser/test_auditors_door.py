"""What an auditor finds in MLflow and in Prefect: deletions that were accepted, and one that was not.

``LETHE_SCREENSHOTS=docs/images`` writes the pictures of the documentation anew. Each of these must turn red:
a run that does not say its verdict; a link that leads nowhere; a search of the documentation that finds
nothing; a page that asks anybody but its own server.
"""

import os
from pathlib import Path

import pytest
from door import Desk
from world import NOISE, ROOT

pytestmark = [*NOISE, pytest.mark.browser]

# What the two products say on every page, with or without Lethe's runs.
KNOWN = ("users/current", "favicon", "ResizeObserver", "ERR_FAILED", "completed.svg", "task_runs/filter")
# Prefect's pages ask for this even where analytics are off; docs/auditing.md says how to keep them from it.
AMPLITUDE = {"sr-client-cfg.amplitude.com"}
SIZE = {"width": 1440, "height": 1000}
PASSED = "By every agreed test, the released model behaves as if it had never seen the class"
SHOWN = "behaves, not removed"
LARGEST = 250_000


@pytest.fixture(scope="module")
def desk(browser, tmp_path_factory):
    """One browser for all pages, so that what was put away stays away, as it does for a person."""
    context = browser.new_context(viewport=SIZE, color_scheme="light")
    context.set_default_timeout(40_000)
    folder = Path(os.environ.get("LETHE_SCREENSHOTS", tmp_path_factory.mktemp("screenshots")))
    desk = Desk(context.new_page(), folder)
    desk.watch(lambda text: any(known in text for known in KNOWN))
    yield desk
    context.close()


@pytest.fixture(scope="module")
def mlflow(desk, door):
    """Opens a page of MLflow's, once it was told what it is looked at for, and its assistant put away."""

    def open_page(path):
        desk.page.goto(f"{door.mlflow}/#/{path}")
        return desk.page

    page = open_page("")
    page.get_by_text("Model training", exact=True).first.click()
    page.locator("[data-component-id='mlflow.assistant.chat_panel.close']").click()
    return open_page


@pytest.fixture(scope="module")
def prefect(desk, door):
    """Opens a page of Prefect's."""

    def open_page(path):
        desk.page.goto(f"{door.prefect}/{path}")
        return desk.page

    return open_page


@pytest.fixture
def run_page(mlflow, door):
    """Opens the page of a request's run in MLflow."""
    return lambda request, path="": mlflow(
        f"experiments/{door.experiment}/runs/{door.runs[request]['run_id']}{path}"
    )


def see(page, *words):
    """Wait until each of some words is on the page, and can be seen."""
    for text in words:
        page.get_by_text(text).locator("visible=true").first.wait_for()


def test_the_experiment_explains_itself_and_its_runs_say_how_they_ended(mlflow, door, desk):
    page = mlflow(f"experiments/{door.experiment}")
    see(page, "one run per deletion request", f"? {SHOWN} · r-17 · svd", "✕ nothing accepted · r-18")
    assert desk.keep("mlflow-runs").stat().st_size < LARGEST


@pytest.mark.parametrize(
    ("search", "request_id"),
    [
        ("tags.lethe.shown LIKE 'behaves%' AND tags.lethe.kind = 'deletion'", "r-17"),
        ("tags.lethe.shown = 'retrained' AND tags.lethe.kind = 'deletion'", "r-19"),
        ("tags.lethe.due LIKE '2026-12-%'", "r-17"),
        ("tags.lethe.request = 'r-17'", "r-17"),
        ("tags.lethe.kind = 'deletion' AND attributes.status = 'FAILED'", "r-18"),
    ],
)
def test_the_searches_of_the_documentation_find_what_they_promise(mlflow, door, search, request_id):
    page = mlflow(f"experiments/{door.experiment}")
    box = page.get_by_placeholder("metrics.rmse")
    box.fill(search)
    box.press("Enter")
    see(page, "1 matching run", f" · {request_id}")
    assert f"`{search}`" in (ROOT / "docs" / "auditing.md").read_text()


def test_a_run_says_its_verdict_first_and_then_why(run_page, desk):
    page = run_page("r-17")
    see(page, f"? {SHOWN} · r-17 · svd", PASSED, "Child runs", "✕ under-forgotten · finetune", "2026-12-20")
    page.get_by_text("Show more").first.click()
    see(page, "101 of 990 training images", "retrained without it", "lethe-verify certificate.dsse.json")
    assert "| " not in page.locator("table").first.inner_text()
    assert desk.keep("mlflow-run").stat().st_size < LARGEST


def test_the_data_sets_of_a_run_are_its_inputs_and_the_model_its_output(run_page):
    page = run_page("r-17")
    see(page, "Datasets", "Training", "Registered models")
    page.get_by_text("+1", exact=True).first.click()
    see(page, "Retained")


def test_the_link_to_the_report_shows_it(run_page, desk):
    run_page("r-17")
    page = desk.follow("Report for people")
    page.frame_locator("iframe").get_by_text("it had never seen the class “3”").first.wait_for()
    page.close()


def test_the_link_to_the_certificate_shows_it(run_page, desk):
    run_page("r-17")
    page = desk.follow("signed certificate")
    see(page, "payloadType")
    page.close()


def test_a_failed_deletion_can_be_read_as_well_as_a_good_one(run_page, desk):
    page = run_page("r-18")
    see(page, "✕ nothing accepted · r-18", "Nothing was released, and the model in use stays as it was.")
    page.get_by_text("Show more").first.click()
    see(page, "last one tried", "Methods tried", "Failed")
    report = desk.follow("Report for people")
    report.frame_locator("iframe").get_by_text("Nothing was released").first.wait_for()
    report.close()


def test_an_attempt_says_what_the_gate_said(run_page):
    page = run_page("r-17")
    page.get_by_role("link", name="✕ under-forgotten · finetune").click()
    words = "“Right answers, the forgotten data (training samples)” is 1, outside"
    see(page, "One attempt, by the method", "Not accepted.", words, "Parent run")


def test_the_registry_says_which_version_is_in_use_and_how_to_load_it(mlflow, desk):
    page = mlflow("models/digits")
    see(page, "champion", "the version in use", "nothing is unpickled", "r-19: retrained")
    see(page, "previous still knows what champion forgot", "Still knows what version 2")
    assert desk.keep("mlflow-registry").stat().st_size < LARGEST


def test_a_version_leads_to_its_evidence(mlflow, desk):
    page = mlflow("models/digits/versions/1")
    see(page, f"r-17: {SHOWN}, by svd.", f"? {SHOWN} · r-17 · svd", "previous")
    see(page, "forgot (r-19), until it is deleted")
    certificate = desk.follow("signed certificate")
    see(certificate, "payloadType")
    certificate.close()


def test_prefects_page_of_a_run_says_what_was_done_and_what_came_of_it(prefect, door, desk):
    page = prefect(f"runs/flow-run/{door.flows['r-17']['id']}?tab=Artifacts")
    see(page, f"? {SHOWN} · r-17 · svd", "request:r-17", "model:digits", "Behaves.")
    page.locator("canvas").first.wait_for()
    page.wait_for_timeout(1500)  # the graph is drawn by and by
    assert desk.keep("prefect-run").stat().st_size < LARGEST


def test_prefects_text_of_a_run_can_be_read_by_a_stranger(prefect, door):
    (artifact,) = door.flows["r-17"]["artifacts"]
    page = prefect(f"artifacts/artifact/{artifact['id']}")
    see(page, PASSED, "101 of 990 training images", "retrained without it", "verdict:passes")
    assert page.locator("table").first.locator("tr").count() > 5


def test_prefect_tells_a_failed_deletion_too(prefect, door):
    flow = door.flows["r-18"]
    assert {"lethe", "model:digits", "request:r-18", "verdict:nothing-accepted"} <= set(flow["tags"])
    page = prefect(f"artifacts/artifact/{flow['artifacts'][0]['id']}")
    see(page, "Nothing was released, and the model in use stays as it was.", "✕ nothing accepted · r-18")


def test_nothing_was_wrong_on_any_page_and_nobody_else_was_asked(desk):
    assert desk.said == []
    assert desk.elsewhere <= AMPLITUDE
