"""A request on hold loses nothing: not by its own purge, and not by another's."""

import pytest
from erased import PERSON, found, person_forgotten, rows_of
from sequence import of_class, prepare, serve_and_go_on
from world import NOISE, lethe

from tasks.checkout.checkout import Checkout
from tasks.requests.ledger.changing import Draft
from tasks.requests.ledger.finding import open_ledger
from tasks.requests.request_file import read_request

pytestmark = [*NOISE, pytest.mark.long]


@pytest.fixture
def held(monkeypatch, tmp_path):
    """A project that forgot a person, whose request is held; and all that was to be purged."""
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path / "prefect"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    root = person_forgotten(tmp_path / "project")
    rows = rows_of(root, PERSON)
    request = read_request(Checkout(root), "r-1")
    open_ledger(root).submit([Draft(request, "digits")], actor="clerk")
    assert lethe(root, "request", "hold", "r-1", "--reason", "court order 5")[0] == 0
    return root, rows


def test_a_held_request_is_not_purged_until_it_is_released(held):
    root, rows = held
    before = found(rows, root)
    for more in ([], ["--dry-run"]):
        code, _, err = lethe(root, "purge", "r-1", *more)
        assert (code, "court order 5" in err) == (2, True), err
    assert found(rows, root) == before
    assert lethe(root, "request", "release", "r-1", "--reason", "the case is closed")[0] == 0
    assert lethe(root, "purge", "r-1")[0] == 0
    assert not any(found(rows, root).values())
    events = open_ledger(root).history("r-1")[1]
    stores = [event.reason.partition(",")[0] for event in events if event.action == "purge"]
    assert len(stores) == len(set(stores)) >= 5
    assert lethe(root, "request", "verify")[0] == 0


def test_a_purge_does_not_take_what_another_request_is_held_for(held):
    root, rows = held
    prepare(root)
    serve_and_go_on(root, "r-2", of_class("5"))
    before = found(rows, root)
    assert before["file"]
    for more in ([], ["--dry-run"]):
        code, _, err = lethe(root, "purge", "r-2", *more)
        assert code == 2, err
        assert "request 'r-1' is held" in err
    assert found(rows, root) == before
    assert lethe(root, "request", "release", "r-1", "--reason", "the case is closed")[0] == 0
    assert lethe(root, "purge", "r-2")[0] == 0
