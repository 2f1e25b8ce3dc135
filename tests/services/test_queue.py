"""Many requests, two models, two workers: one after another on each model, what is due first in front."""

import pytest
from company import wait_until

from tasks.checkout.checkout import Checkout
from tasks.requests.request_file import preview_manifest

pytestmark = [pytest.mark.services, pytest.mark.slow]

MODELS = ("east", "west")
EACH = 10


@pytest.fixture(scope="module")
def served(company):
    """Twenty requests that come in at once, not in the order of their due days, each with a run."""
    for model in MODELS:
        company.add_model(model)
        samples = training_samples(company, model)
        rows = [f"{model}-{n},sample,{samples[n]},2026-11-{1 + (7 * n) % EACH:02d}" for n in range(EACH)]
        path = company.desk / f"{model}.csv"
        path.write_text("\n".join(["id,kind,name,received", *rows]) + "\n")
    ids = [f"{model}-{n}" for model in MODELS for n in range(EACH)]
    with company.stack.worker("first"), company.stack.worker("second"):
        for model in MODELS:
            path = str(company.desk / f"{model}.csv")
            company.lethe("request", "import", path, "--model", model, PREFECT_API_URL="")
        # What is imported together is announced together; here each has a run of its own.
        for request_id in ids:
            assert company.start("delete", {"order": {"request_id": request_id}}).is_success
        company.completed(*ids, within_s=1200)
        wait_until("every run has ended", lambda: not company.runs(state="RUNNING"))
    return ids


def training_samples(company, model):
    """Return the ids of samples that a model was trained on."""
    manifest = preview_manifest(Checkout(company.start_of(model)))
    return manifest.sample_ids[manifest.splits == "train"]


def events_of(company, model):
    """Return what happened to a model's requests, in the order of the ledger."""
    found = [company.request(f"{model}-{n}")[1] for n in range(EACH)]
    return sorted((event for events in found for event in events), key=lambda event: event.sequence)


@pytest.mark.parametrize("model", MODELS)
def test_the_requests_of_a_model_never_interleave(company, served, model):
    acted = [
        (e.action, e.request) for e in events_of(company, model) if e.action not in {"submit", "begin", "end"}
    ]
    claims, ends = acted[::2], acted[1::2]
    assert [action for action, _ in claims] == ["claim"] * EACH
    assert ends == [("complete", request) for _, request in claims]


@pytest.mark.parametrize("model", MODELS)
def test_what_is_due_first_is_served_first(company, served, model):
    claimed = [event.request for event in events_of(company, model) if event.action == "claim"]
    due = {request: company.request(request)[0].submission.due for request in claimed}
    assert [due[request] for request in claimed] == sorted(due.values())


@pytest.mark.parametrize("model", MODELS)
def test_each_starts_from_the_champion_that_the_one_before_made(company, served, model):
    versions = company.versions(model)
    assert len(versions) == EACH
    by_version = sorted(versions, key=lambda tags: int(tags["lethe.parent_version"].replace("none", "0")))
    assert [tags["lethe.parent_version"] for tags in by_version] == ["none", *map(str, range(1, EACH))]


def test_every_run_of_delete_ended_well(company, served):
    started = [run for run in company.runs() if run["parameters"].get("order", {}).get("request_id")]
    ended = {run["parameters"]["order"]["request_id"]: run["state"]["type"] for run in started}
    assert ended == dict.fromkeys(served, "COMPLETED")


def test_each_request_has_its_result_on_the_page_of_one_run(company, served):
    shown = [run for run in company.runs() if any(tag.startswith("verdict:") for tag in run["tags"])]
    requests = [tag for run in shown for tag in run["tags"] if tag.startswith("request:")]
    assert sorted(requests) == sorted(f"request:{request_id}" for request_id in served)


def test_a_run_whose_request_another_one_served_says_so(company, served):
    started = [run for run in company.runs() if run["parameters"].get("order", {}).get("request_id")]
    without = [run for run in started if not any(tag.startswith("verdict:") for tag in run["tags"])]
    expected = {
        f"delete {run['parameters']['order']['request_id']} · served by another run" for run in without
    }
    assert {run["name"] for run in without} == expected
