"""What stands around the services in a company: repositories of models, people at a desk, API clients."""

import contextlib
import subprocess
import sys
import time
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import httpx
from stack import Stack
from world import ROOT, SMALL, make_checkout

from tasks.requests.ledger.database import open_engine, read_url
from tasks.requests.ledger.ledger import Ledger

POLICY = {**SMALL["policy"], "ladder": {"classes": ["svd", "retrain"], "samples": ["finetune", "retrain"]}}
WAIT_S = 480
"""How long anything may take on a machine that is busy with other tests."""


def wait_until(what, condition, *, within_s=WAIT_S):
    """Return what a condition returns as soon as it is true."""
    end = time.monotonic() + within_s
    while not (found := condition()):
        assert time.monotonic() < end, f"{what}: not within {within_s} s"
        time.sleep(0.1)
    return found


@dataclass
class Company:
    """A company that has deployed Lethe.

    Attributes:
        stack: Its services.
        desk: The folder in which requests are entered: no checkout.
    """

    stack: Stack
    desk: Path

    def add_model(self, name, **sections):
        """Make the repository of a model, as ``LETHE_PROJECTS`` says where."""
        address = Path(self.stack.environment["LETHE_PROJECTS"].replace("{model}", name))
        settings = {"policy": POLICY, "registry": {"model": name}, **sections}
        made = make_checkout(self.start_of(name), **settings)
        address.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["git", "clone", "--quiet", "--bare", str(made), str(address)], check=True)
        return address

    def start_of(self, name):
        """Return the checkout that a model's repository was made from."""
        return self.desk.parent / f"{name}.start"

    def lethe(self, *arguments, code=0, folder=None, **extra):
        """Run the command line as somebody at the desk, and return what it printed."""
        done = subprocess.run(
            [str(Path(sys.executable).with_name("lethe")), *arguments],
            cwd=folder or self.desk,
            env=self.stack.process_environment(**extra),
            capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout

    def submit(self, request_id, *classes, model="digits", event=True, **options):
        """Enter a request; without an event only the schedule finds it."""
        scope = [word for one in classes for word in ("--class", one)]
        more = [word for name, value in options.items() for word in (f"--{name}", value)]
        extra = {} if event else {"PREFECT_API_URL": ""}
        self.lethe("request", "submit", request_id, *scope, "--model", model, *more, **extra)

    def request(self, request_id):
        """Return a request as the ledger has it, and its events."""
        return self.ledger.history(request_id)

    @cached_property
    def ledger(self):
        """The ledger on the server."""
        return Ledger(open_engine(read_url(self.stack.ledger_url)))

    def completed(self, *request_ids, within_s=WAIT_S):
        """Wait until requests are completed; one that fails says why."""

        def all_are():
            shown = [self.request(request_id) for request_id in request_ids]
            ended = [events for entry, events in shown if entry.state in {"failed", "cancelled"}]
            assert not ended, ended
            return all(entry.state == "completed" for entry, _ in shown)

        wait_until(f"{request_ids} completed", all_are, within_s=within_s)

    @property
    def prefect(self):
        """Prefect's API, as a program would use it."""
        user, _, password = self.stack.environment["PREFECT_API_AUTH_STRING"].partition(":")
        return httpx.Client(base_url=self.stack.prefect_url, auth=(user, password), timeout=60)

    def deployment(self, name):
        """Return a deployment as the API tells it."""
        with self.prefect as api:
            answer = api.get(f"/deployments/name/{name}/{name}")
        answer.raise_for_status()
        return answer.json()

    def start(self, name, parameters):
        """Start a deployment as its form does; return the API's answer."""
        found = self.deployment(name)
        with self.prefect as api:
            return api.post(f"/deployments/{found['id']}/create_flow_run", json={"parameters": parameters})

    @contextlib.contextmanager
    def schedule(self, *, every_s):
        """Let the schedule of ``pending`` come every few seconds for a while, and then not at all."""
        found = self.deployment("pending")
        (schedule,) = found["schedules"]
        address = f"/deployments/{found['id']}/schedules/{schedule['id']}"
        soon = {"interval": every_s, "anchor_date": "2026-01-01T00:00:00Z"}
        with self.prefect as api:
            assert api.patch(address, json={"schedule": soon, "active": True}).is_success
        try:
            yield
        finally:
            with self.prefect as api:
                assert api.patch(address, json={"active": False}).is_success

    def runs(self, *, state=None, name=None):
        """Return flow runs as the API tells them."""
        wanted = {"state": {"type": {"any_": [state]}}} if state else {}
        wanted |= {"name": {"any_": [name]}} if name else {}
        with self.prefect as api:
            answer = api.post("/flow_runs/filter", json={"flow_runs": wanted, "limit": 200})
        answer.raise_for_status()
        return answer.json()

    def ended(self, run_id):
        """Wait until a flow run has ended, and return it."""

        def found():
            with self.prefect as api:
                run = api.get(f"/flow_runs/{run_id}").json()
            return run if run["state"]["type"] in {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"} else None

        return wait_until(f"flow run {run_id} ended", found)

    def mlflow(self, method, path, **what):
        """Ask MLflow's REST API."""
        given = self.stack.environment
        user = (given["MLFLOW_TRACKING_USERNAME"], given["MLFLOW_TRACKING_PASSWORD"])
        address = f"{self.stack.mlflow_url}/api/2.0/mlflow/{path}"
        answer = httpx.request(method, address, auth=user, timeout=60, **what)
        return answer.json() if answer.is_success else {}

    def versions(self, model):
        """Return the tags of a model's registered versions."""
        found = self.mlflow("GET", "model-versions/search", params={"filter": f"name='{model}'"})
        return [_tags(one) for one in found.get("model_versions", [])]

    def tracked_runs(self, model, *, status=None):
        """Return the tags of the runs in a model's experiment."""
        found = self.mlflow("GET", "experiments/get-by-name", params={"experiment_name": model})
        if not found:
            return []
        wanted = {"experiment_ids": [found["experiment"]["experiment_id"]], "max_results": 500}
        wanted |= {"filter": f"attributes.status = '{status}'"} if status else {}
        runs = self.mlflow("POST", "runs/search", json=wanted).get("runs", [])
        return [_tags(one["data"]) for one in runs]

    def evidence(self, model, request_id):
        """Return what the bucket of evidence holds of a request, by path below its folder."""
        bucket, prefix = (self.stack.environment[f"LETHE_S3_{name}"] for name in ("BUCKET", "PREFIX"))
        place = f"{prefix}/{model}/{request_id}/"
        objects = self.stack.s3.objects(bucket)
        return {key.removeprefix(place): content for key, content in objects.items() if key.startswith(place)}


def _tags(described):
    return {tag["key"]: tag["value"] for tag in described.get("tags", [])}


def python(company, source, **extra):
    """Run a program with a worker's environment, and return what it printed."""
    return company.stack.run("deploy", folder=ROOT, command=[sys.executable, "-c", source], **extra)
