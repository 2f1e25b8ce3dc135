"""The pages of flow runs on Prefect's server: names, tags, and a log without what nobody may store."""

import time

import pytest
from prefect import flow, task
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import LogFilter
from tiny import make_tiny
from world import NOISE

from flows.train import train
from tasks.checkout.checkout import Checkout
from tasks.checkout.log import tell, tell_error
from tasks.orchestration.flow_runs import is_run_of, request_tags, tag_flow_run
from tasks.orchestration.own_server import served
from unlearn_core.errors import GateError

pytestmark = [*NOISE, pytest.mark.long]

PERSON = "somebody-in-the-data"


def lines_of(run_id):
    """Return the lines on the page of a flow run, once there are any."""
    wanted = LogFilter.model_validate({"flow_run_id": {"any_": [run_id]}})
    for _ in range(100):
        with get_client(sync_client=True) as client:
            if found := client.read_logs(wanted):
                return found
        time.sleep(0.1)
    return []


@flow(name="speaking")
def speaking():
    from prefect.runtime import flow_run

    @task
    def step():
        tell("· a line of a task\u202e")

    tell("· a line of the flow")
    step()
    for error in (GateError("no model was accepted"), ValueError(PERSON)):
        try:
            raise error
        except Exception as caught:
            tell_error(caught)
    return flow_run.id


def test_lethes_lines_are_on_the_page_of_their_run_and_no_traceback_is(prefect_server, monkeypatch):
    monkeypatch.setenv("LETHE_LOG_LEVEL", "debug")
    tell("· a line outside")
    with served():
        run_id = speaking()
    found = lines_of(run_id)
    told = [line.message for line in found]
    assert told[:3] == ["· a line of the flow", "· a line of a task\\u202e", "no model was accepted"]
    assert told[3].startswith("unexpected ValueError in ")
    assert len(told) == 4
    assert [line.task_run_id is not None for line in found] == [False, True, False, False]
    assert PERSON not in "".join(told)


def test_a_run_is_named_and_tagged_by_its_model_and_its_project(prefect_server, tmp_path):
    train(Checkout.at(make_tiny(tmp_path / "pages")))
    with get_client(sync_client=True) as client:
        (run,) = (one for one in client.read_flow_runs() if "project:pages" in one.tags)
    assert run.name.endswith(": train")
    assert f"model:{run.name.partition(':')[0]}" in run.tags


def test_a_run_knows_whether_it_was_started_for_a_request(prefect_server):
    @flow
    def asking():
        tag_flow_run(request_tags(["r-1"]))
        return is_run_of(["r-0", "r-1"]), is_run_of(["r-2"])

    assert asking() == (True, False)
    assert not is_run_of(["r-1"])
