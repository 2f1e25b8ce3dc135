"""What Prefect is told of a request that came in: its id, its model, and nothing else."""

import base64
import json

import pytest
from answering import answering
from ledgers import draft, enter

from tasks.checkout.tags import SUBMITTED, SUBMITTED_TOGETHER
from tasks.orchestration.events import announce
from tasks.requests.ledger.batches import keep_batch
from tasks.requests.ledger.ledger import connect
from unlearn_core.records.batch import Batch


@pytest.fixture
def entries(tmp_path):
    """A request that waits, and one that was cancelled."""
    ledger = connect(tmp_path)
    waiting, cancelled = enter(ledger, draft("r-1", "3"), draft("r-2", "5"))
    return waiting, ledger.cancel(cancelled.id, actor="clerk", reason="a mistake")


def test_each_request_that_waits_is_an_event_with_its_id_alone(entries, monkeypatch):
    monkeypatch.setenv("PREFECT_API_AUTH_STRING", "lethe:secret")
    with answering(204) as server:
        monkeypatch.setenv("PREFECT_API_URL", f"{server.url}/")
        announce(entries)
    ((path, authorization, body),) = server.asked
    assert path == "/api/events"
    assert base64.b64decode(authorization.removeprefix("Basic ")) == b"lethe:secret"
    (event,) = json.loads(body)
    assert {name: event[name] for name in ("event", "resource", "payload")} == {
        "event": SUBMITTED,
        "resource": {"prefect.resource.id": "lethe.request.r-1", "lethe.model": "digits"},
        "payload": {"request_id": "r-1"},
    }


def test_several_on_one_model_are_one_event_with_its_name_alone(entries, tmp_path, monkeypatch):
    ledger = connect(tmp_path)
    more = enter(ledger, draft("r-3"), draft("r-4", model="cifar"))
    with answering(204) as server:
        monkeypatch.setenv("PREFECT_API_URL", server.url)
        announce((*entries, *more))
    ((_, _, body),) = server.asked
    together, alone = json.loads(body)
    assert {name: together[name] for name in ("event", "resource", "payload")} == {
        "event": SUBMITTED_TOGETHER,
        "resource": {"prefect.resource.id": "lethe.model.digits", "lethe.model": "digits"},
        "payload": {"model": "digits"},
    }
    assert (alone["event"], alone["payload"]) == (SUBMITTED, {"request_id": "r-4"})


def test_nobody_is_told_of_what_waits_for_others(tmp_path, monkeypatch):
    ledger = connect(tmp_path)
    keep_batch(ledger, "digits", Batch(wait_h=48, at_most=2))
    with answering(204) as server:
        monkeypatch.setenv("PREFECT_API_URL", server.url)
        announce(enter(ledger, "r-1"))
        assert server.asked == []
        announce(enter(ledger, "r-1", "r-2"))
    assert [one["event"] for one in json.loads(server.asked[0][2])] == [SUBMITTED_TOGETHER]


def test_nobody_is_told_of_what_does_not_wait(entries, monkeypatch):
    with answering(204) as server:
        monkeypatch.setenv("PREFECT_API_URL", server.url)
        announce(entries[1:])
    assert server.asked == []


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/api", "http://127.0.0.1:port/api", "127.0.0.1:1"])
def test_a_server_that_cannot_be_told_is_no_reason_to_fail(entries, monkeypatch, capsys, url):
    monkeypatch.setenv("PREFECT_API_URL", url)
    announce(entries)
    assert "the requests wait for the schedule" in capsys.readouterr().err


@pytest.mark.parametrize("status", [401, 422, 500])
def test_an_answer_that_is_no_is_no_reason_to_fail_either(entries, monkeypatch, capsys, status):
    with answering(status) as server:
        monkeypatch.setenv("PREFECT_API_URL", server.url)
        announce(entries)
    assert "Prefect was not notified (HTTPStatusError)" in capsys.readouterr().err
