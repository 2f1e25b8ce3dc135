"""The form of the deployment ``delete``: what waits can be chosen, and any other id can be typed."""

import pytest
from answering import answering
from ledgers import draft, enter
from prefect.utilities.callables import parameter_schema
from prefect.utilities.schema_tools.validation import is_valid

from flows.submit import cancel_request
from flows.worker.deployments import delete
from tasks.orchestration.form import MOST, offer, with_choices
from tasks.requests.ledger.ledger import connect

PLAIN = parameter_schema(delete.fn).model_dump_for_openapi()


def field_of(schema):
    return schema["definitions"]["DeletionOrder"]["properties"]["request_id"]


@pytest.fixture
def ledger(tmp_path):
    """Two requests that wait; what was entered last is due first."""
    made = connect(tmp_path)
    enter(
        made,
        draft("r-2", "3", received="2026-11-20T12:00:00Z"),
        draft("r-1", "5", received="2026-11-10T12:00:00Z"),
    )
    return made


def test_what_waits_is_offered_by_due_day_with_its_model(ledger):
    waiting, _ = field_of(with_choices(PLAIN, ledger.entries()))["anyOf"]
    assert waiting["enum"] == ["r-1", "r-2"]
    assert waiting["description"].startswith("r-1: digits, due 2026-12-10")


@pytest.mark.parametrize(
    ("request_id", "expected"), [("r-1", True), ("never-heard-of", True), ("../../etc", False), (17, False)]
)
def test_prefects_server_takes_any_id_and_nothing_but_ids(ledger, request_id, expected):
    offered = with_choices(PLAIN, ledger.entries())
    assert is_valid({"order": {"request_id": request_id}}, offered) is expected


def test_choices_are_replaced_and_none_are_left_when_nothing_waits(ledger):
    first, *_ = entries = ledger.entries()
    offered = with_choices(with_choices(PLAIN, entries), [first])
    assert offered == with_choices(PLAIN, [first])
    assert with_choices(offered, []) == PLAIN


def test_a_long_queue_is_offered_in_part(ledger):
    entries = list(ledger.entries()) * MOST
    assert len(field_of(with_choices(PLAIN, entries))["anyOf"][0]["enum"]) == MOST


def test_a_form_of_somebody_elses_stays_as_it_is(ledger):
    assert with_choices({"type": "object", "properties": {}}, ledger.entries()) == {
        "type": "object",
        "properties": {},
    }


@pytest.mark.parametrize("status", [200, 401, 404, 500])
def test_a_server_without_the_form_is_no_reason_to_fail(ledger, monkeypatch, status):
    with answering(status) as server:
        monkeypatch.setenv("PREFECT_API_URL", server.url)
        offer(ledger)
    assert [path for path, *_ in server.asked] == ["/api/deployments/name/delete/delete"]


@pytest.mark.parametrize("url", ["", "http://127.0.0.1:1/api", "http://127.0.0.1:port/api"])
def test_no_server_is_no_reason_to_fail_either(ledger, monkeypatch, url):
    monkeypatch.setenv("PREFECT_API_URL", url)
    offer(ledger)


def test_a_cancelled_request_is_taken_from_the_form(ledger, tmp_path, monkeypatch):
    monkeypatch.setenv("LETHE_DATABASE_URL", f"sqlite:///{tmp_path}/requests/ledger.db")
    with answering(404) as server:
        monkeypatch.setenv("PREFECT_API_URL", server.url)
        cancel_request(tmp_path, "r-1", reason="a mistake")
    assert [path for path, *_ in server.asked] == ["/api/deployments/name/delete/delete"]
