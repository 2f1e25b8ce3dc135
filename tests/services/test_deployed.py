"""Requests served by the real services: by an event, the schedule, the API's form, and after approval."""

import base64
import hashlib
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from company import POLICY, Company, python, wait_until
from sqlalchemy import create_engine, text

pytestmark = pytest.mark.services

LOAD = """
import mlflow, numpy
model = mlflow.pyfunc.load_model("models:/{name}@champion")
print(model.predict(numpy.zeros((2, 1, 8, 8), dtype="float32")).shape)
"""


@dataclass(frozen=True)
class Served:
    """Five requests that were served: two of them together, each other one in its own way.

    Attributes:
        paused: The run that waited for a person, as the API told it then.
        question: What it asked.
        refused: The API's answer to an approval that does not fit the form.
    """

    company: Company
    paused: dict
    question: str
    refused: dict


TOGETHER = ("by-schedule", "with-it")
REQUESTS = {
    "by-event": "digits",
    "by-form": "digits",
    "by-approval": "careful",
    **dict.fromkeys(TOGETHER, "digits"),
}


@pytest.fixture(scope="module")
def served(company):
    company.add_model("digits")
    company.add_model("careful", policy={**POLICY, "approval": {"within_h": 1}})
    # From here on nothing comes on schedule, unless it is asked for: each request is its own run's.
    with company.schedule(every_s=86_400):
        pass
    with company.stack.worker("one"):
        company.submit("by-event", "3")
        company.submit("by-approval", "3", model="careful")
        company.completed("by-event")
        paused, question, refused = approve(company)
        serve_on_schedule(company)
        company.submit("by-form", "7", event=False)
        started = company.start("delete", {"order": {"request_id": "by-form"}})
        assert started.status_code == 201, started.text
        company.completed(*REQUESTS)
        assert company.ended(started.json()["id"])["state"]["type"] == "COMPLETED"
        yield Served(company, paused, question, refused)


def approve(company):
    """Approve the run that waits for it, after an answer that does not fit the form."""
    (paused,) = wait_until("a run waits", lambda: company.runs(state="PAUSED"))
    keys = paused["state"]["state_details"]["run_input_keyset"]
    with company.prefect as api:
        question = api.get(f"/flow_runs/{paused['id']}/input/{keys['description']}").json()
        wrong = api.post(f"/flow_runs/{paused['id']}/resume", json={"run_input": {"approve": "perhaps"}})
        answer = {"approve": True, "by": "privacy office", "reason": "ticket 17"}
        right = api.post(f"/flow_runs/{paused['id']}/resume", json={"run_input": answer})
    assert right.json()["status"] == "ACCEPT", right.text
    return paused, question, wrong.json()


def serve_on_schedule(company):
    """Let the schedule of ``pending`` come sooner, and serve two requests that no event told of."""
    for request_id, label in zip(TOGETHER, "56", strict=True):
        company.submit(request_id, label, event=False)
    with company.schedule(every_s=20):
        company.completed(*TOGETHER)


def test_every_request_was_completed_once(served):
    for request_id in REQUESTS:
        _, events = served.company.request(request_id)
        assert [event.action for event in events] == ["submit", "claim", "begin", "end", "complete"]
        assert "certificate sha256:" in events[-1].reason


def test_postgresql_says_completed(served):
    url = served.company.stack.ledger_url.replace("postgresql://", "postgresql+psycopg://")
    engine = create_engine(url)
    with engine.connect() as connection:
        rows = dict(connection.execute(text("SELECT id, state FROM deletion_requests")).all())
    engine.dispose()
    assert {name: rows[name] for name in REQUESTS} == dict.fromkeys(REQUESTS, "completed")


@pytest.mark.parametrize("name", ["digits", "careful"])
def test_the_promoted_model_loads_from_the_tracking_server(served, name):
    assert python(served.company, LOAD.format(name=name)).strip() == "(2, 10)"


def test_each_model_starts_from_the_champion_before(served):
    order = ("by-event", "by-schedule", "by-form")
    certificates = [certified(served.company, request_id) for request_id in order]
    models = [one["models"] for one in certificates]
    assert [one["parent"] for one in models[1:]] == [one["unlearned"] for one in models[:-1]]


def test_what_waits_for_one_model_is_unlearned_in_one_run_and_certified_one_by_one(served):
    first, second = (certified(served.company, request_id) for request_id in TOGETHER)
    assert (first["group"], first["models"]) == (second["group"], second["models"])
    assert (first["request"]["id"], second["request"]["id"]) == TOGETHER
    tags = {f"request:{request_id}" for request_id in TOGETHER}
    runs = [run["name"] for run in served.company.runs() if tags <= set(run["tags"])]
    assert len(runs) == 1


def certified(company, request_id):
    envelope = json.loads(only(company, request_id, "certificate.dsse.json"))
    return json.loads(base64.b64decode(envelope["payload"]))["predicate"]


def only(company, request_id, name):
    """Return the one object of this name among a request's evidence."""
    found = company.evidence(REQUESTS[request_id], request_id)
    (content,) = (content for path, content in found.items() if path.endswith(f"/{name}"))
    return content


@pytest.mark.parametrize("request_id", REQUESTS)
def test_the_evidence_is_in_the_bucket_as_its_manifest_says(served, request_id):
    manifest = json.loads(only(served.company, request_id, "manifest.json"))
    paths = {entry["path"] for entry in manifest["files"]}
    assert {"certificate.dsse.json", "report.html", "coverage.json", "policy.json"} < paths
    assert any(path.startswith("data_docs/") for path in paths)
    for entry in manifest["files"]:
        content = only(served.company, request_id, entry["path"])
        assert f"sha256:{hashlib.sha256(content).hexdigest()}" == entry["sha256"]


@pytest.mark.parametrize("request_id", REQUESTS)
def test_a_stranger_can_verify_each_certificate(served, request_id, tmp_path):
    path = tmp_path / "certificate.dsse.json"
    path.write_bytes(only(served.company, request_id, path.name))
    key = next(Path(served.company.stack.environment["LETHE_HOME"]).glob("**/*.pub*"))
    verify = Path(sys.executable).with_name("lethe-verify")
    done = subprocess.run(
        [str(verify), str(path), "--key", str(key), "--json"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["request"] == request_id


def test_a_certificate_carries_a_head_that_is_in_the_ledger(served):
    for request_id in REQUESTS:
        head = certified(served.company, request_id)["ledger"]
        served.company.lethe("request", "verify", "--head", head)


def test_the_weekly_verification_finds_all_of_it_true(served):
    started = served.company.start("verify", {})
    assert started.status_code == 201, started.text
    ended = served.company.ended(started.json()["id"])
    assert ended["state"]["type"] == "COMPLETED", ended["state"]["message"]


def test_the_run_that_waited_said_what_for_and_took_no_answer_but_the_forms(served):
    assert served.paused["name"] == "careful: delete by-approval"
    assert "svd" in served.question
    assert "behaves" in served.question
    assert served.refused["status"] == "REJECT"
    assert "boolean" in served.refused["details"]["reason"]


def test_every_deletion_is_a_commit_of_its_own_on_the_branch(served):
    address = served.company.stack.environment["LETHE_PROJECTS"].replace("{model}", "digits")
    done = subprocess.run(
        ["git", "-C", address, "log", "--format=%s", "deletions"], capture_output=True, text=True, check=True
    )
    said = [line.split(":")[0].removeprefix("Delete ") for line in done.stdout.splitlines()]
    assert said == ["by-form", certified(served.company, "by-schedule")["group"]["id"], "by-event", "Start"]


BAD = {
    "no request": {},
    "an empty order": {"order": {}},
    "a path as an id": {"order": {"request_id": "../../etc"}},
    "a number as an id": {"order": {"request_id": 17}},
    "an id that is too long": {"order": {"request_id": "r" * 64}},
    "a subject": {"order": {"request_id": "r-1", "subject": "subject-0001"}},
    "a limit of nothing": {"order": {"request_id": "r-1", "limit_h": 0}},
    "a limit that is no number": {"order": {"request_id": "r-1", "limit_h": "soon"}},
    "a yes that is no boolean": {"order": {"request_id": "r-1", "ahead": "yes"}},
    "a list of orders": {"order": [{"request_id": "r-1"}]},
    "another parameter": {"order": {"request_id": "r-1"}, "root": "/"},
}


@pytest.mark.parametrize("name", BAD)
def test_bad_parameters_are_refused_before_a_run_exists(company, name):
    before = {run["id"] for run in company.runs()}
    answer = company.start("delete", BAD[name])
    assert answer.status_code == 409, answer.text
    assert {run["id"] for run in company.runs()} <= before


def test_the_form_says_what_it_asks_for(company):
    schema = company.deployment("delete")["parameter_openapi_schema"]
    fields = schema["definitions"]["DeletionOrder"]["properties"]
    assert {name: field["title"] for name, field in fields.items()} == {
        "request_id": "Request",
        "ahead": "Serve it first",
        "limit_h": "Time limit in hours",
    }
    assert all(field["description"] for field in fields.values())


def page_of(company, request_id):
    """Return the run that was started for a request, and what is on its page: steps, lines, artifacts."""
    runs = [
        run for run in company.runs() if run["parameters"].get("order", {}).get("request_id") == request_id
    ]
    (run,) = runs
    with company.prefect as api:
        here = {"id": {"any_": [run["id"]]}}
        tasks = api.post("/task_runs/filter", json={"flow_runs": here}).json()
        lines = api.post("/logs/filter", json={"logs": {"flow_run_id": {"any_": [run["id"]]}}}).json()
        artifacts = api.post("/artifacts/filter", json={"flow_runs": here}).json()
    steps, said = [one["name"] for one in tasks], [one["message"] for one in lines]
    return run, steps, said, [one["key"] for one in artifacts if one["type"] == "markdown"]


@pytest.mark.parametrize("request_id", ["by-event", "by-approval"])
def test_a_request_has_one_run_with_its_steps_its_log_and_its_result(served, request_id):
    run, steps, said, artifacts = page_of(served.company, request_id)
    model = REQUESTS[request_id]
    assert run["name"] == f"{model}: ✓ behaves · {request_id} · svd"
    assert {"lethe", f"model:{model}", f"project:{model}", f"request:{request_id}"} <= set(run["tags"])
    assert {"verdict:passes", "method:svd"} <= set(run["tags"])
    assert {"unlearn with svd", "certify: sign, register, report"} <= set(steps)
    assert f"· {request_id} of {model}" in said
    assert any(line.startswith("✓ certify") for line in said)
    # Prefect's own log, which would have tracebacks, is not stored; its worker tells how the run was started.
    assert [line for line in said if line.startswith(("Finished in state", "Beginning"))] == []
    assert f"deletion-{request_id}" in artifacts
    tagged = [one for one in served.company.runs() if f"request:{request_id}" in one["tags"]]
    assert [one["id"] for one in tagged] == [run["id"]]


def test_the_form_offers_what_waits_and_takes_it_back(company, served):
    def offered():
        schema = company.deployment("delete")["parameter_openapi_schema"]
        return schema["definitions"]["DeletionOrder"]["properties"]["request_id"]

    def cancel(request_id):
        company.lethe("request", "cancel", request_id, "--reason", "a mistake")

    for request_id in ("form-waits", "form-mistake"):
        company.submit(request_id, "0", event=False)
    cancel("form-mistake")
    assert offered()["anyOf"][0]["enum"] == ["form-waits"]
    cancel("form-waits")
    assert "anyOf" not in offered()


def test_to_deploy_again_changes_nothing(company):
    def deployed():
        with company.prefect as api:
            automations = api.post("/automations/filter", json={}).json()
        return sorted(one["name"] for one in automations), company.deployment("delete")["id"]

    before = deployed()
    company.stack.deploy()
    assert deployed() == before
    assert len(before[0]) == 3


def test_a_second_clone_with_nothing_but_the_remote_and_the_keys_reaches_the_same_model(served, tmp_path):
    environment = served.company.stack.environment
    address = environment["LETHE_PROJECTS"].replace("{model}", "digits")
    clone, path = tmp_path / "clone", tmp_path / "certificate.dsse.json"
    subprocess.run(["git", "clone", "--quiet", "--branch", "deletions", address, str(clone)], check=True)
    path.write_bytes(only(served.company, "by-schedule", path.name))
    bucket = f"s3://{environment['LETHE_S3_DATA_BUCKET']}/{environment['LETHE_S3_PREFIX']}/dvc"
    alone(served, clone, "dvc", "remote", "add", "--local", "--default", "lethe", bucket)
    for name, value in {"endpointurl": environment["LETHE_S3_ENDPOINT"], "region": "us-east-1"}.items():
        alone(served, clone, "dvc", "remote", "modify", "--local", "lethe", name, value)
    alone(served, clone, "dvc", "pull")
    replayed = alone(served, clone, "lethe", "verify", "--replay", str(path), "--json")
    assert replayed.count(certified(served.company, "by-schedule")["models"]["unlearned"]) >= 2


def alone(served, folder, program, *arguments):
    """Run a program that knows of the bucket and the keys, and of no other service; return its words."""
    kept = ("LETHE_S3_", "LETHE_HOME", "LETHE_TEST_")
    given = {
        name: value
        for name, value in served.company.stack.process_environment().items()
        if name.startswith(kept) or not name.startswith(("LETHE_", "MLFLOW_", "PREFECT_API"))
    }
    command = [str(Path(sys.executable).with_name(program)), *arguments]
    done = subprocess.run(command, cwd=folder, env=given, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
