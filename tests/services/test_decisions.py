"""A model that was trained by its deployment, and deletions that nobody approves, or somebody refuses."""

import subprocess
from dataclasses import dataclass

import pytest
from company import POLICY, Company, wait_until

pytestmark = pytest.mark.services

MODEL = "strict"
WITHIN_S = 18
"""How long a run waits for its person: shorter than anybody needs, but for a test."""


@dataclass(frozen=True)
class Refused:
    """A request that nobody answered in time, and was refused when it was asked for again.

    Attributes:
        trained: The flow run of the training.
        unanswered: The request's last event after the first time.
        refused: The same after the second.
    """

    company: Company
    trained: dict
    unanswered: str
    refused: str


@pytest.fixture(scope="module")
def refused(company):
    company.add_model(MODEL, policy={**POLICY, "approval": {"within_h": WITHIN_S / 3600}})
    with company.stack.worker("decisions"):
        started = company.start("train", {"order": {"model": MODEL}})
        assert started.status_code == 201, started.text
        trained = company.ended(started.json()["id"])
        company.submit("r-1", "3", model=MODEL)
        unanswered = reason_of_failure(company)
        company.lethe("request", "retry", "r-1", "--reason", "somebody is here now")
        (paused,) = wait_until("a run waits", lambda: company.runs(state="PAUSED"))
        with company.prefect as api:
            # The form as it is when nobody touches it.
            answered = api.post(f"/flow_runs/{paused['id']}/resume", json={"run_input": {}})
        assert answered.json()["status"] == "ACCEPT", answered.text
        yield Refused(company, trained, unanswered, reason_of_failure(company))


def reason_of_failure(company):
    """Wait until the request has failed, and return why."""
    wait_until("r-1 has failed", lambda: company.request("r-1")[0].state == "failed")
    return company.request("r-1")[1][-1].reason


def test_the_deployment_trains_and_publishes_the_model(refused):
    assert refused.trained["state"]["type"] == "COMPLETED", refused.trained["state"]["message"]
    address = refused.company.stack.environment["LETHE_PROJECTS"].replace("{model}", MODEL)
    said = git(address, "log", "--format=%s", "deletions")
    assert said == [f"Train {MODEL}", "Start"]
    assert "dvc.lock" in git(address, "show", "--name-only", "--format=", "deletions")


def git(address, *arguments):
    done = subprocess.run(["git", "-C", address, *arguments], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def test_no_answer_in_time_is_a_refusal(refused):
    assert "nobody approved within 0.005 h; the champion stays" in refused.unanswered
    assert "lethe request retry r-1" in refused.unanswered


def test_the_form_as_it_is_refuses(refused):
    assert "refused by nobody; the champion stays" in refused.refused


def test_nothing_of_it_came_into_use(refused):
    assert refused.company.versions(MODEL) == []
    assert refused.company.evidence(MODEL, "r-1") == {}


def test_both_runs_say_that_they_failed(refused):
    assert refused.company.tracked_runs(MODEL, status="RUNNING") == []
    failed = refused.company.tracked_runs(MODEL, status="FAILED")
    assert [tags["mlflow.runName"] for tags in failed if tags["lethe.kind"] == "deletion"] == [
        "delete r-1 · not approved"
    ]
    assert wait_until("no run waits", lambda: not refused.company.runs(state="PAUSED"))
