"""The services of infra/compose.yaml, started with its commands and environment: do they run, who gets in?

Each of these must turn red: a server that answers without a password; a role that gets into another's
database; an evidence bucket without Object Lock, or whose store deletes what is locked; a job that fails the
second time.
"""

import json
import re
import time
from base64 import b64encode
from collections import defaultdict

import httpx
import psycopg
import pytest
from botocore.exceptions import ClientError
from world import ROOT

pytestmark = pytest.mark.services

README = (ROOT / "infra/README.md").read_text()
DATABASES = ("prefect", "mlflow", "lethe")
FLOW = """
import json, os
from prefect import flow

@flow
def hello(name: str):
    import boto3, mlflow
    from sqlalchemy import create_engine, text

    mlflow.set_experiment("hello")
    with mlflow.start_run():
        mlflow.log_text(name, "hello.txt")
    store = boto3.client("s3", endpoint_url=os.environ["LETHE_S3_ENDPOINT"])
    store.put_object(Bucket=os.environ["LETHE_S3_DATA_BUCKET"], Key="hello", Body=name.encode())
    url = os.environ["LETHE_DATABASE_URL"].replace("postgresql://", "postgresql+psycopg://")
    with create_engine(url).connect() as ledger:
        ledger.execute(text("SELECT count(*) FROM deletion_requests"))
"""
PREFECT = """
deployments:
  - name: hello
    entrypoint: hello.py:hello
    work_pool: {{name: lethe}}
    pull:
      - prefect.deployments.steps.set_working_directory: {{directory: {folder}}}
"""


def basic(user, password):
    return {"Authorization": f"Basic {b64encode(f'{user}:{password}'.encode()).decode()}"}


@pytest.fixture(scope="module")
def prefect_api(stack):
    """A client of Prefect's API with the worker's own password."""
    user, password = stack.environment["PREFECT_API_AUTH_STRING"].split(":")
    with httpx.Client(base_url=stack.prefect_url, headers=basic(user, password), timeout=30) as client:
        yield client


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A project with one small flow, which uses everything that a worker has."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "infra").mkdir()
    (folder / "hello.py").write_text(FLOW)
    (folder / "infra/prefect.yaml").write_text(PREFECT.format(folder=folder))
    return folder


@pytest.mark.parametrize("service", ["postgres", "prefect", "mlflow"])
def test_a_server_is_healthy_by_its_own_check(stack, service):
    assert stack.healthy(service)


@pytest.mark.parametrize(
    "headers", [{}, basic("lethe", "wrong"), basic("", "")], ids=["none", "wrong", "empty"]
)
def test_prefect_refuses_who_has_no_password(stack, headers):
    answer = httpx.post(f"{stack.prefect_url}/flows/filter", json={}, headers=headers)
    assert answer.status_code == 401


def test_prefect_lets_the_worker_in(prefect_api):
    assert prefect_api.post("/flows/filter", json={}).status_code == 200


SEARCH = "/api/2.0/mlflow/experiments/search?max_results=1"


@pytest.mark.parametrize("headers", [{}, basic("lethe", "wrong"), basic("admin", "password1234")],
                         ids=["none", "wrong", "default"])  # fmt: skip
def test_mlflow_refuses_who_has_no_password(stack, headers):
    assert httpx.get(stack.mlflow_url + SEARCH, headers=headers).status_code == 401


def test_mlflow_lets_the_worker_in_under_its_own_host_name_alone(stack):
    given = basic(
        stack.environment["MLFLOW_TRACKING_USERNAME"], stack.environment["MLFLOW_TRACKING_PASSWORD"]
    )
    assert httpx.get(stack.mlflow_url + SEARCH, headers=given).status_code == 200
    elsewhere = {**given, "Host": "rebound.example.org"}
    assert httpx.get(stack.mlflow_url + SEARCH, headers=elsewhere).status_code == 403


def connect(stack, role, database, password=None):
    secret = stack.secrets[f"{role.upper()}_DATABASE_PASSWORD"] if password is None else password
    port = stack.compose.ports["postgres"]
    return psycopg.connect(host="127.0.0.1", port=port, user=role, dbname=database, password=secret or None)


@pytest.mark.parametrize("role", DATABASES)
def test_a_role_gets_into_its_own_database_and_no_other(stack, role):
    with connect(stack, role, role) as own:
        assert own.execute("SELECT current_user").fetchone() == (role,)
    for other in {*DATABASES, "postgres", "template1"} - {role}:
        with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
            connect(stack, role, other)


@pytest.mark.parametrize("role", ["postgres", *DATABASES])
@pytest.mark.parametrize("password", ["", "wrong", "postgres"])
def test_postgresql_refuses_who_has_no_password(stack, role, password):
    with pytest.raises(psycopg.OperationalError, match="password"):
        connect(stack, role, "postgres", password)


def test_evidence_is_locked_and_data_is_not(stack):
    evidence, data = stack.environment["LETHE_S3_BUCKET"], stack.environment["LETHE_S3_DATA_BUCKET"]
    lock = stack.s3.client.get_object_lock_configuration(Bucket=evidence)["ObjectLockConfiguration"]
    days = int(stack.environment["LETHE_S3_RETAIN_DAYS"])
    assert lock["ObjectLockEnabled"] == "Enabled"
    rule = lock["Rule"]["DefaultRetention"]
    assert (rule["Mode"], rule["Days"]) == ("COMPLIANCE", days)
    with pytest.raises(ClientError, match="ObjectLockConfigurationNotFound"):
        stack.s3.client.get_object_lock_configuration(Bucket=data)


def test_the_job_for_buckets_does_nothing_twice(stack):
    before = {one["Name"] for one in stack.s3.client.list_buckets()["Buckets"]}
    assert "lethe-evidence locks what is stored" in stack.run("buckets")
    assert {one["Name"] for one in stack.s3.client.list_buckets()["Buckets"]} == before


def test_a_policy_lets_each_user_do_what_it_needs(stack):
    worker = stack.environment["AWS_ACCESS_KEY_ID"]
    mlflow, purger = (stack.compose.environment(name)["AWS_ACCESS_KEY_ID"] for name in ("mlflow", "purger"))

    def may(bucket):
        policy = stack.s3.client.get_bucket_policy(Bucket=stack.environment[bucket])["Policy"]
        allowed = defaultdict(set)
        for one in json.loads(policy)["Statement"]:
            for user in one["Principal"]["AWS"]:
                allowed[user, one["Resource"].split(":::")[1]] |= set(one["Action"])
        return allowed

    evidence, data = may("LETHE_S3_BUCKET"), may("LETHE_S3_DATA_BUCKET")
    assert set(evidence) == {
        (user, place) for user in (worker, purger) for place in ("lethe-evidence", "lethe-evidence/lethe/*")
    }
    assert set(data) == {
        (worker, "lethe-data"), (worker, "lethe-data/lethe/dvc/*"),
        (mlflow, "lethe-data"), (mlflow, "lethe-data/lethe/mlflow/*"),
        (purger, "lethe-data"), (purger, "lethe-data/lethe/*"),
    }  # fmt: skip
    never = {"s3:*", "s3:DeleteObject", "s3:BypassGovernanceRetention", "s3:PutBucketPolicy"}
    assert all(
        not never & actions for (user, _), actions in [*evidence.items(), *data.items()] if user == worker
    )
    # What erases data erases no evidence, and sees every version of what it searches.
    assert not any(never & actions for (user, _), actions in evidence.items() if user == purger)
    assert {"s3:DeleteObject", "s3:DeleteObjectVersion"} <= data[purger, "lethe-data/lethe/*"]
    for place, actions in {"lethe-evidence": evidence, "lethe-data": data}.items():
        assert "s3:ListBucketVersions" in actions[purger, place]
        assert "s3:GetObjectVersion" in actions[purger, f"{place}/lethe/*"]


def test_a_bucket_without_a_lock_is_refused_as_evidence_bucket(stack):
    stack.s3.client.create_bucket(Bucket="unlocked")
    with pytest.raises(AssertionError, match="the bucket unlocked has no Object Lock"):
        stack.run("buckets", LETHE_S3_BUCKET="unlocked")


def test_a_store_that_deletes_what_is_locked_is_refused(stack):
    stack.s3.refuse(1, "DELETE", status="204 No Content")
    with pytest.raises(AssertionError, match="deleted an object that was locked"):
        stack.run("buckets")


def test_one_bucket_cannot_be_both(stack):
    with pytest.raises(AssertionError, match="must differ"):
        stack.run("buckets", LETHE_S3_DATA_BUCKET=stack.environment["LETHE_S3_BUCKET"])


def ended(prefect_api, run, within_s=90):
    """Wait for the end of a run; return its state."""
    end = time.monotonic() + within_s
    while time.monotonic() < end:
        state = prefect_api.get(f"/flow_runs/{run}").json()["state"]
        if state["type"] in {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}:
            return state
        time.sleep(0.5)
    raise AssertionError(f"the run stands at {state} after {within_s} s")


def test_a_deployed_flow_reaches_every_service_from_its_worker(stack, deployed, project, prefect_api):
    prefect = ["prefect", "--no-prompt", "deploy", "--all", "--prefect-file", "infra/prefect.yaml"]
    stack.run("deploy", command=prefect, folder=project)
    deployment = prefect_api.get("/deployments/name/hello/hello").json()["id"]
    with stack.worker("one") as worker:
        created = prefect_api.post(
            f"/deployments/{deployment}/create_flow_run", json={"parameters": {"name": "x"}}
        )
        state = ended(prefect_api, created.json()["id"])
        assert state["type"] == "COMPLETED", (state, stack.log("worker-one"))
        assert b'"one"' in prefect_api.post("/work_pools/lethe/workers/filter", json={}).content
        assert worker.family()
    assert worker.family() == []
    stored = stack.s3.objects(stack.environment["LETHE_S3_DATA_BUCKET"])
    assert stored["hello"] == b"x"
    assert [key for key in stored if key.startswith("lethe/mlflow/") and key.endswith("/hello.txt")]


def test_deploying_again_changes_nothing(stack, deployed, prefect_api):
    before = prefect_api.post("/deployments/filter", json={}).json()
    stack.deploy()
    after = prefect_api.post("/deployments/filter", json={}).json()
    assert sorted(one["id"] for one in after) == sorted(one["id"] for one in before)
    assert {one["work_pool_name"] for one in after} == {"lethe", "lethe-purge"}


def test_mlflows_password_is_changed_as_the_readme_says(stack):
    user, old = stack.environment["MLFLOW_TRACKING_USERNAME"], stack.environment["MLFLOW_TRACKING_PASSWORD"]
    address = f"{stack.mlflow_url}/api/2.0/mlflow/users/update-password"
    for password, following in ((old, "another password"), ("another password", old)):
        change = {"username": user, "current_password": password, "password": following}
        assert set(change) == set(re.findall(r'"(\w+)":', README))
        assert httpx.patch(address, json=change, auth=(user, password)).status_code == 200
        assert httpx.get(stack.mlflow_url + SEARCH, auth=(user, following)).status_code == 200


def test_what_prefect_knew_is_there_after_a_restart(stack, prefect_api):
    named = {"name": "kept", "value": "yes"}
    assert prefect_api.post("/variables/", json=named).status_code == 201
    stack.stop("prefect")
    assert not stack.healthy("prefect")
    stack.start("prefect")
    assert prefect_api.get("/variables/name/kept").json()["value"] == "yes"


def test_a_database_that_was_killed_comes_back_with_its_data(stack):
    with connect(stack, "lethe_owner", "lethe") as ledger:
        ledger.execute("CREATE TABLE kept (n int)")
        ledger.execute("INSERT INTO kept VALUES (1)")
    stack.stop("postgres", kill=True)
    assert not stack.healthy("postgres")
    stack.start("postgres")
    with connect(stack, "lethe_owner", "lethe") as ledger:
        assert ledger.execute("SELECT n FROM kept").fetchone() == (1,)
        ledger.execute("DROP TABLE kept")


def test_a_store_that_is_down_answers_503_until_it_is_up(stack):
    client = stack.s3.client
    stack.s3.refuse_for(60)
    answers = {httpx.get(stack.s3.endpoint).status_code for _ in range(3)}
    stack.s3.refuse(0)
    assert answers == {503}
    assert client.list_buckets()["Buckets"]


def test_no_secret_is_in_a_log(stack):
    written = "".join(stack.log(path.stem) for path in stack.folder.glob("*.log"))
    assert written
    assert [name for name, value in stack.secrets.items() if value in written] == []
