"""How a project stands, and what to do next: read from its files, and nothing is made."""

import json

import pytest
from world import files_of, lethe, make_checkout

from flows.status import status
from flows.submit import submit_typed
from tasks.checkout.checkout import Checkout
from tasks.checkout.params import write_params
from tasks.requests.ledger.ledger import connect


@pytest.fixture
def root(tmp_path):
    return make_checkout(tmp_path / "project")


def steps(root):
    return [one.command for one in status(Checkout(root)).next]


def test_a_new_project_has_nothing_in_use_and_the_demos_request_waits(root, monkeypatch, tmp_path):
    before = files_of(root)
    found = status(Checkout(root))
    assert (found.champion, found.request, found.progress) == (None, "demo", "new")
    assert [(one.request, one.state) for one in found.waiting] == [("demo", "in requests/")]
    assert {one.stage: one.why for one in found.stale}["dataset"] == "has not run"
    assert [one.command for one in found.next] == ["lethe delete demo"]
    assert files_of(root) == before
    monkeypatch.setenv("LETHE_HOME", str(tmp_path / "nobody"))
    assert steps(root) == ["lethe keys init", "lethe delete demo"]


def test_what_the_ledger_holds_waits_by_its_due_day(root):
    for name, received in (("r-2", "2020-01-02"), ("r-1", "2020-01-01")):
        submit_typed(
            root, name, classes=("3",), samples=(), subjects=(), basis="gdpr", received=received, model=None
        )
    found = status(Checkout(root))
    waiting = [(one.request, one.state, one.due, one.overdue) for one in found.waiting]
    assert waiting[0] == ("r-1", "received", "2020-02-01", True)
    assert [one[0] for one in waiting] == ["r-1", "r-2", "demo"]
    assert steps(root) == ["lethe pending", "lethe delete demo"]
    connect(root).cancel("r-1", actor="clerk", reason="withdrawn")
    assert [one.request for one in status(Checkout(root)).waiting] == ["r-2", "demo"]


def test_a_request_that_was_refused_is_to_be_read_about(root):
    folder = root / "evidence" / "demo"
    folder.mkdir(parents=True)
    (folder / "failure.json").write_text("{}")
    assert status(Checkout(root)).progress == "refused"
    assert steps(root) == ["lethe report demo --open"]


def test_a_served_request_does_not_wait(root):
    folder = root / "evidence" / "demo"
    folder.mkdir(parents=True)
    for name in ("released.json", "certificate.dsse.json"):
        (folder / name).write_text("{}")
    found = status(Checkout(root))
    assert (found.progress, found.waiting) == ("served", ())
    assert steps(root) == ["lethe delete ID --class NAME"]


PERSON = "Anna Smith"
BY_HAND = {
    "a raw id": {"scope": {"kind": "subjects", "subjects": [PERSON]}},
    "a class that is none": {"scope": {"kind": "classes", "classes": [PERSON, 3]}},
    "a key of its own": {"scope": {"kind": "classes", "classes": ["3"], PERSON: True}},
    "another kind": {"scope": {"kind": PERSON}},
    "a name for an id": {"id": PERSON, "scope": {"kind": "classes", "classes": ["3"]}},
    "no object": PERSON,
}


@pytest.mark.parametrize("file", BY_HAND.values(), ids=BY_HAND)
def test_a_file_that_is_no_request_is_named_and_counted_and_nothing_in_it_is_repeated(
    root, file, monkeypatch
):
    text = json.dumps({"id": "r-9", **file} if isinstance(file, dict) else file)
    (root / "requests" / "r-9.json").write_text(text)
    (root / "requests" / "r-8.json").write_text(f"{{{PERSON}")
    monkeypatch.setenv("LETHE_LOG_LEVEL", "debug")
    code, out, err = lethe(root, "status")
    assert (code, err) == (0, "")
    assert "2 of 3 files in requests/ are no requests" in out
    assert all(f"requests/r-{number}.json cannot be read as a request: " in out for number in (8, 9))
    assert "demo: in requests/" in out
    code, *told = lethe(root, "delete", "r-9")
    assert code == 2
    assert "r-9.json cannot be read as a request" in told[1]
    assert "Anna" not in out + "".join(told)
    write_params(root, {"request": "r-9"})
    assert status(Checkout(root)).progress == "unreadable"


def test_a_person_who_stands_where_a_class_is_expected_is_in_no_log(root):
    asked = {"id": "r-9", "scope": {"kind": "classes", "classes": [PERSON]}}
    (root / "requests" / "r-9.json").write_text(json.dumps(asked))
    write_params(root, {"request": "r-9"})
    for command in (
        ["delete", "r-9"],
        ["delete", "r-9", "--dry-run"],
        ["stage", "dataset"],
        ["stage", "split"],
    ):
        code, out, err = lethe(root, *command)
        assert PERSON not in out + err
        assert code == (0 if command == ["stage", "dataset"] else 2)
    assert "unknown class; the data set has" in err


def test_a_request_that_is_not_there_and_a_project_of_another_lethe_are_told(root):
    write_params(root, {"request": "gone"})
    pinned = json.loads((root / "lethe.json").read_text())
    (root / "lethe.json").write_text(json.dumps({**pinned, "version": "0.0.1"}))
    found = status(Checkout(root))
    assert found.progress == "missing"
    assert "made with Lethe 0.0.1" in found.problems[0]
    assert found.next[0].command == "lethe upgrade"


def test_it_is_a_document_for_programs_and_lines_for_people(root):
    code, out, err = lethe(root, "status", "--json")
    assert (code, err) == (0, "")
    assert json.loads(out) == status(Checkout(root)).model_dump(mode="json")
    code, out, err = lethe(root, "status")
    assert (code, err) == (0, "")
    assert out.startswith(
        "model        digits has no version in use yet\nrequest      demo: is not served yet\n"
    )
    assert "next         lethe delete demo" in out
