"""A model that a deployment trained, and a deletion that nobody answers for, is refused, then approved."""

import json
import subprocess
from dataclasses import dataclass

import pytest
from company import POLICY, Company, wait_until

pytestmark = pytest.mark.services

MODEL = "strict"
WITHIN_S = 18
"""How long a run waits for its person: shorter than anybody needs, but for a test."""
YES = {"approve": True, "by": "privacy office", "reason": "ticket 17"}
UNTOUCHED = {}
"""The form as it is when nobody has changed it."""


@dataclass(frozen=True)
class Decided:
    """A request that was decided about three times.

    Attributes:
        trained: The flow run of the training.
        unanswered: Why the request failed first.
        refused: Why it failed when it was tried again.
        tracked: The names of MLflow's failed runs of deletions then, ``running`` those of all that ran, and
            ``versions`` what was registered.
    """

    company: Company
    trained: dict
    unanswered: str
    refused: str
    tracked: list[str]
    running: list[str]
    versions: list[dict]


@pytest.fixture(scope="module")
def decided(company):
    company.add_model(MODEL, policy={**POLICY, "approval": {"within_h": WITHIN_S / 3600}})
    with company.stack.worker("decisions"):
        started = company.start("train", {"order": {"model": MODEL}})
        assert started.status_code == 201, started.text
        trained = company.ended(started.json()["id"])
        company.submit("r-1", "3", model=MODEL)
        unanswered = reason_of_failure(company)
        answer(company, UNTOUCHED)
        refused = reason_of_failure(company)
        seen = (names(company, "FAILED"), names(company, "RUNNING"), company.versions(MODEL))
        answer(company, YES)
        company.completed("r-1")
        yield Decided(company, trained, unanswered, refused, *seen)


def answer(company, form):
    """Put the request in line again, and answer the question that its run asks then."""
    company.lethe("request", "retry", "r-1", "--reason", "somebody is here now")
    (paused,) = wait_until("a run waits", lambda: company.runs(state="PAUSED"))
    with company.prefect as api:
        answered = api.post(f"/flow_runs/{paused['id']}/resume", json={"run_input": form})
    assert answered.json()["status"] == "ACCEPT", answered.text


def reason_of_failure(company):
    """Wait until the request has failed, and return why."""
    wait_until("r-1 has failed", lambda: company.request("r-1")[0].state == "failed")
    return company.request("r-1")[1][-1].reason


def names(company, status):
    """Return the names of MLflow's runs of deletions in a state."""
    runs = company.tracked_runs(MODEL, status=status)
    return [tags["mlflow.runName"] for tags in runs if tags.get("lethe.kind") == "deletion"]


def test_the_deployment_trains_and_publishes_the_model(decided):
    assert decided.trained["state"]["type"] == "COMPLETED", decided.trained["state"]["message"]
    address = decided.company.stack.environment["LETHE_PROJECTS"].replace("{model}", MODEL)
    assert git(address, "log", "--format=%s", "deletions")[1:] == [f"Train {MODEL}", "Start"]
    assert "dvc.lock" in git(address, "show", "--name-only", "--format=", "deletions~1")


def git(address, *arguments):
    done = subprocess.run(["git", "-C", address, *arguments], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def test_no_answer_in_time_is_a_refusal(decided):
    assert "nobody approved within 0.005 h; the champion stays" in decided.unanswered
    assert "lethe request retry r-1" in decided.unanswered


def test_the_form_as_it_is_refuses(decided):
    assert "refused by nobody (none given); the champion stays" in decided.refused


def test_nothing_of_a_refused_deletion_came_into_use(decided):
    assert decided.versions == []
    assert (decided.tracked, decided.running) == (["✕ not approved · r-1"], [])


def test_a_request_that_was_refused_can_be_asked_for_again_and_approved(decided):
    assert [one["lethe.request"] for one in decided.company.versions(MODEL)] == ["r-1"]
    assert names(decided.company, "FINISHED") == ["✓ behaves · r-1 · svd"]
    assert names(decided.company, "FAILED") == []
    stored = decided.company.evidence(MODEL, "r-1")
    (decision,) = (json.loads(raw) for path, raw in stored.items() if path.endswith("/approval.json"))
    assert (decision["approved"], decision["by"], decision["reason"]) == (True, YES["by"], YES["reason"])
