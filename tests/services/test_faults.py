"""Runs that are killed, and services that are away: each request is served once all the same."""

import os
import random
import signal
import subprocess
import time
from pathlib import Path

import pytest
from company import wait_until
from world import run

pytestmark = pytest.mark.services

LONGEST_S = 12
"""Within so many seconds of its claim a deletion here is killed; most take a little longer."""


def kill_at_random(company, worker, request_id, moment_s):
    """Kill the process that serves a request, so long after it was claimed; tell whether it still ran."""
    wait_until(f"{request_id} is claimed", lambda: company.request(request_id)[0].worker)
    time.sleep(moment_s)
    entry, _ = company.request(request_id)
    if entry.state != "running":
        return False
    for process in set(worker.family()) - {worker.pid}:
        os.kill(process, signal.SIGKILL)
    return True


def survive(company, model, *, kills, seed):
    """Kill the runs of as many requests, each at a moment of its own, and wait until all are completed."""
    company.add_model(model)
    moments = random.Random(seed)
    ids = [f"{model}-{n}" for n in range(kills)]
    killed = []
    with company.stack.worker(model) as worker:
        with company.schedule(every_s=30):
            for n, request_id in enumerate(ids):
                company.submit(request_id, str(n), model=model)
                if kill_at_random(company, worker, request_id, moments.uniform(0, LONGEST_S)):
                    killed.append(request_id)
                company.completed(request_id)
        wait_until("no run runs", lambda: not company.runs(state="RUNNING"))
    return ids, killed


@pytest.fixture(scope="module")
def survived(company):
    return survive(company, "killed", kills=3, seed=0)


def test_most_runs_were_killed_before_they_ended(survived):
    ids, killed = survived
    assert len(killed) >= len(ids) - 1


def test_each_request_completes_once(company, survived):
    for request_id in survived[0]:
        entry, events = company.request(request_id)
        actions = [event.action for event in events]
        assert entry.state == "completed"
        assert actions.count("complete") == 1
        assert actions.count("claim") == actions.count("expire") + 1
    company.ledger.verify()


def test_each_has_one_version_and_one_certificate(company, survived):
    versions = company.versions("killed")
    for request_id in survived[0]:
        assert [one["lethe.request"] for one in versions].count(request_id) == 1
        stored = company.evidence("killed", request_id)
        assert len([path for path in stored if path.endswith("/certificate.dsse.json")]) == 1
    assert len(versions) == len(survived[0])


def test_nothing_is_left_running(company, survived):
    assert company.runs(state="RUNNING") == []
    assert company.tracked_runs("killed", status="RUNNING") == []


def test_the_clone_is_clean_and_at_the_end_of_its_branch(company, survived):
    clone = Path(company.stack.environment["LETHE_WORK"]) / "killed"
    status = run(clone, "dvc", "status")
    assert status.stdout.strip() == "Data and pipelines are up to date.", status.stdout + status.stderr
    git = ["git", "-C", str(clone)]
    assert said(*git, "status", "--short") == ""
    assert said(*git, "rev-parse", "HEAD") == said(*git, "rev-parse", "origin/deletions")


def said(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.fixture(scope="module")
def weathered(company):
    """Two requests, each with a service away for half a minute in the middle of its run."""
    company.add_model("weather")
    with company.stack.worker("weather"):
        company.submit("no-tracking", "1", model="weather")
        wait_until("it is claimed", lambda: company.request("no-tracking")[0].worker)
        wait_until("it has begun", lambda: company.tracked_runs("weather"))
        company.stack.stop("mlflow")
        time.sleep(30)
        company.stack.start("mlflow")
        company.completed("no-tracking")
        company.submit("no-store", "2", model="weather")
        wait_until("it is claimed", lambda: company.request("no-store")[0].worker)
        company.stack.s3.refuse_for(30)
        company.completed("no-store")


@pytest.mark.parametrize("request_id", ["no-tracking", "no-store"])
def test_a_run_outlives_half_a_minute_without_a_service(company, weathered, request_id):
    _, events = company.request(request_id)
    assert [event.action for event in events] == ["submit", "claim", "begin", "end", "complete"]
    assert [one["lethe.request"] for one in company.versions("weather")].count(request_id) == 1


@pytest.mark.slow
def test_ten_kills(company):
    killed = []
    # Ten of one model's ten classes would leave nothing to retain.
    for model in ("often-killed", "killed-as-often"):
        ids, those = survive(company, model, kills=5, seed=len(model))
        assert sorted(one["lethe.request"] for one in company.versions(model)) == ids
        killed += those
    assert len(killed) >= 7
    company.ledger.verify()
