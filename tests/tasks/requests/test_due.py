"""By when a deletion is due: from the ledger, where there is one that knows this very request."""

import pytest
from ledgers import draft, enter
from world import content

from tasks.checkout.checkout import Checkout
from tasks.requests.due import first_due_day, search_tags
from tasks.requests.ledger.ledger import connect
from unlearn_core.records.deletion import SplitRecord

SPLIT = SplitRecord(
    request="r-17",
    scope_kind="classes",
    scope=content("scope"),
    data=content("data"),
    retained=content("retained"),
    classes=(3,),
    forget_rows=(1, 2),
    forgotten=(),
)


@pytest.fixture(autouse=True)
def no_server(monkeypatch):
    monkeypatch.delenv("LETHE_DATABASE_URL", raising=False)


@pytest.fixture
def received(tmp_path):
    """A checkout's ledger with two requests; the second came in first."""
    late = draft("r-17", "3", received="2026-11-20T00:00:00Z")
    early = draft("r-18", "5", received="2026-11-02T00:00:00Z")
    enter(connect(tmp_path), late, early)
    return late.request, early.request


def test_the_due_day_is_the_ledgers(tmp_path, received):
    assert first_due_day(tmp_path, received[:1]) == "2026-12-20"


def test_requests_that_are_served_together_are_due_when_the_first_is(tmp_path, received):
    assert first_due_day(tmp_path, received) == "2026-12-02"


def test_another_request_with_the_same_id_tells_nothing(tmp_path, received):
    assert first_due_day(tmp_path, [draft("r-17", "4").request]) is None


def test_a_request_that_did_not_come_in_by_the_ledger_has_no_due_day(tmp_path, received):
    assert first_due_day(tmp_path, [draft("r-19").request]) is None


def test_no_ledger_is_made_to_look_into(tmp_path):
    assert first_due_day(tmp_path, [draft("r-17").request]) is None
    assert not Checkout(tmp_path).ledger.exists()


def test_a_deletion_does_not_wait_for_a_ledger_that_cannot_be_asked(tmp_path, monkeypatch):
    monkeypatch.setenv("LETHE_DATABASE_URL", "postgresql://nobody:secret@127.0.0.1:1/ledger")
    assert first_due_day(tmp_path, [draft("r-17").request]) is None


def test_a_run_is_found_by_its_due_day_and_by_what_kind_of_thing_is_forgotten(tmp_path, received):
    found = search_tags(tmp_path, SPLIT, received[:1])
    assert found == {"lethe.scope_kind": "classes", "lethe.due": "2026-12-20"}
    assert search_tags(tmp_path, SPLIT, received)["lethe.requests"] == "r-17, r-18"
