"""What a folder says is deployed: read, or refused by name; and a server that cannot be asked."""

import contextlib

import pytest
from answering import answering

from flows.worker.local_serving import deployment_of, serve_deployments, what_it_does
from tasks.checkout.environment import LIBRARY_SETTINGS
from tasks.checkout.tags import SUBMITTED, SUBMITTED_TOGETHER
from tasks.orchestration.deploying import DEPLOYMENTS, PURGE_POOL, deploy, read_deployments
from unlearn_core.errors import ConfigurationError, SetupError, UnavailableError


def test_lethes_own_deployments_are_read():
    names = [one["name"] for one in read_deployments(DEPLOYMENTS)]
    assert names == ["delete", "pending", "train", "verify", "purge"]


def test_no_deployed_run_stores_prefects_own_log_which_has_tracebacks():
    given = [one["work_pool"]["job_variables"]["env"] for one in read_deployments(DEPLOYMENTS)]
    name = "PREFECT_LOGGING_LEVEL"
    assert given == [{name: LIBRARY_SETTINGS[name]}] * 5


def test_what_erases_has_a_work_pool_of_its_own():
    pools = {one["name"]: one["work_pool"]["name"] for one in read_deployments(DEPLOYMENTS)}
    assert pools.pop("purge") == PURGE_POOL
    assert set(pools.values()) == {"lethe"}


def test_what_is_announced_starts_a_deployment():
    triggers = {
        one["name"]: [event for trigger in one.get("triggers", ()) for event in trigger["expect"]]
        for one in read_deployments(DEPLOYMENTS)
    }
    started = {"delete": [SUBMITTED], "pending": [SUBMITTED_TOGETHER]}
    assert triggers == {"train": [], "verify": [], "purge": [], **started}


def test_a_folder_without_deployments_is_named(tmp_path):
    with pytest.raises(SetupError, match=r"prefect\.yaml does not exist; it says what is deployed"):
        read_deployments(tmp_path)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("deployments: [", "is not YAML"),
        ("", "has no list 'deployments'"),
        ("- deployments", "has no list 'deployments'"),
        ("deployments: {name: delete}", "has no list 'deployments'"),
    ],
)
def test_a_file_that_describes_no_deployments_is_refused(tmp_path, text, expected):
    (tmp_path / "prefect.yaml").write_text(text)
    with pytest.raises(ConfigurationError, match=expected):
        read_deployments(tmp_path)


@pytest.fixture
def api_url(monkeypatch):
    """Sets the server's address, for Prefect's settings as well, which read the environment once."""
    from prefect.settings import PREFECT_API_URL, temporary_settings

    with contextlib.ExitStack() as stack:

        def name(url):
            monkeypatch.setenv("PREFECT_API_URL", url)
            stack.enter_context(temporary_settings({PREFECT_API_URL: url}))

        yield name


@pytest.fixture(params=["deploy", "serve"])
def deploying(request, tmp_path, monkeypatch):
    """What registers the deployments, in either way."""
    monkeypatch.setenv("LETHE_PROJECT", "")
    if request.param == "deploy":
        return lambda: deploy(DEPLOYMENTS, pool="lethe")
    return lambda: serve_deployments(tmp_path, limit=1)


def test_a_server_that_does_not_answer_is_one_message(deploying, api_url):
    api_url("http://127.0.0.1:1/api")
    with pytest.raises(UnavailableError, match="does not answer at PREFECT_API_URL"):
        deploying()


def test_a_server_that_lets_nobody_in_is_one_message(deploying, api_url):
    with answering(401) as server:
        api_url(server.url)
        with pytest.raises(SetupError, match="answered 401; check PREFECT_API_URL and PREFECT_API_AUTH"):
            deploying()


def test_what_is_no_address_is_one_message(deploying, api_url):
    api_url("127.0.0.1:4200/api")
    with pytest.raises(SetupError, match="is not a URL"):
        deploying()


def test_what_is_served_from_one_process_keeps_its_schedules_and_what_is_off_stays_off():
    (pending,) = (one for one in read_deployments(DEPLOYMENTS) if one["name"] == "pending")
    off = {**pending, "schedules": [*pending["schedules"], {"cron": "0 0 * * *", "active": False}]}
    told = [(one.schedule.cron, one.schedule.timezone, one.active) for one in deployment_of(off).schedules]
    assert told == [("*/15 * * * *", "UTC", True), ("0 0 * * *", "UTC", False)]
    assert deployment_of({**pending, "schedules": []}).schedules == []


def test_serving_says_that_it_changes_the_checkout_it_runs_in_and_by_its_name_alone(tmp_path, monkeypatch):
    monkeypatch.delenv("LETHE_PROJECTS", raising=False)
    said = what_it_does(tmp_path)
    assert f"this very checkout, {tmp_path.name}: each deletion changes params.yaml, dvc.lock, data/" in said
    assert str(tmp_path) not in said


def test_serving_says_that_it_works_in_clones_where_it_does(tmp_path, monkeypatch):
    monkeypatch.setenv("LETHE_PROJECTS", "/srv/{model}.git")
    said = what_it_does(tmp_path)
    assert "in clones below LETHE_WORK" in said
    assert said.endswith("this checkout stays as it is")
