"""``lethe request`` and ``lethe db``: what comes in, what is refused, what is shown, and what is nowhere."""

import json
import os
import subprocess

import pytest
from world import files_of, lethe, make_checkout

from tasks.checkout.checkout import Checkout
from tasks.checkout.environment import actor
from tasks.checkout.params import write_params
from tasks.requests.ledger.ledger import connect
from tasks.requests.ledger.runs import record_run

PERSON, NOBODY = "subject-0001", "nobody-1970"


@pytest.fixture(scope="module")
def origin(own_folders, tmp_path_factory):
    return make_checkout(tmp_path_factory.mktemp("requests") / "project")


@pytest.fixture(autouse=True)
def project(origin, monkeypatch):
    """A checkout without a ledger, and a name for who acts."""
    monkeypatch.delenv("LETHE_DATABASE_URL", raising=False)
    monkeypatch.setenv("LETHE_ACTOR", "clerk")
    (origin / "requests" / "ledger.db").unlink(missing_ok=True)
    return origin


def request(folder, *arguments):
    return lethe(folder, "request", *arguments)


def told(folder, *arguments):
    code, out, err = request(folder, *arguments, "--json")
    assert (code, err) == (0, "")
    return json.loads(out)


def test_a_request_comes_in_and_is_listed_and_shown(project):
    code, out, err = request(project, "submit", "r-1", "--class", "3", "--received", "2026-11-01")
    assert (code, out, err) == (0, "r-1  received, due 2026-12-01 (gdpr), class 3 of digits\n", "")
    (listed,) = told(project, "list")
    assert (listed["id"], listed["due"], listed["model"]) == ("r-1", "2026-12-01", "digits")
    shown = told(project, "show", "r-1")
    assert {name: shown[name] for name in listed} == listed
    assert [(event["action"], event["actor"]) for event in shown["events"]] == [("submit", "clerk")]
    for arguments in (["list"], ["show", "r-1"]):
        code, out, err = request(project, *arguments)
        assert (code, err) == (0, "")
        assert "r-1" in out


def test_the_same_request_twice_is_one(project):
    first = told(project, "submit", "r-1", "--subject", PERSON)
    assert told(project, "submit", "r-1", "--subject", PERSON) == first
    assert len(told(project, "show", "r-1")["events"]) == 1


def test_due_days_follow_the_law_and_what_is_late_is_marked(project):
    told(project, "submit", "late", "--class", "3", "--basis", "ccpa", "--received", "2020-01-01")
    told(project, "submit", "done", "--class", "4", "--received", "2020-01-01")
    told(project, "submit", "soon", "--class", "5")
    told(project, "cancel", "done", "--reason", "withdrawn")
    found = {one["id"]: (one["due"], one["overdue"]) for one in told(project, "list")}
    assert (found["late"], found["done"]) == (("2020-02-15", True), ("2020-02-01", False))
    assert not found["soon"][1]
    assert [one["id"] for one in told(project, "list", "--due-before", "2020-02-15")] == ["done"]
    assert [one["id"] for one in told(project, "list", "--state", "received")] == ["late", "soon"]
    assert request(project, "list")[1].count("overdue") == 1


def test_a_long_list_has_pages_and_says_so(project):
    for number in range(1, 6):
        told(project, "submit", f"r-{number}", "--class", "3")
    code, out, err = request(project, "list", "--limit", "2", "--page", "2", "--json")
    assert (code, [one["id"] for one in json.loads(out)]) == (0, ["r-3", "r-4"])
    assert err == "· page 2 of 3: 2 of 5 requests\n"
    assert "page" not in request(project, "list")[2]
    assert told(project, "list", "--model", "cifar") == []
    for wrong in (["--limit", "1001"], ["--page", "0"]):
        assert request(project, "list", *wrong)[0] == 2


def test_requests_wait_for_one_another_if_the_policy_says_so(project):
    policy = Checkout(project).params.policy.model_dump(mode="json")
    write_params(project, {"policy": {**policy, "batch": {"wait_h": 48, "at_most": 50}}})
    try:
        told(project, "submit", "r-1", "--class", "3")
        shown = told(project, "show", "r-1")
        why = f"for others on digits until {shown['waits_until']}, or until 50 wait"
        assert (shown["waits"], shown["state"]) == (why, "received")
        assert f"waits      {why}" in request(project, "show", "r-1")[1]
        assert "waits until" in request(project, "list")[1]
        code, out, _ = lethe(project, "status")
        assert (code, f"; waits {why}" in out) == (0, True)
    finally:
        write_params(project, {"policy": policy})


def test_a_completed_request_says_when_and_whether_that_was_late(project):
    told(project, "submit", "late", "--class", "3", "--received", "2020-01-01")
    told(project, "submit", "soon", "--class", "5")
    told(project, "submit", "waits", "--class", "6")
    ledger = connect(project)
    for name in ("late", "soon"):
        ledger.claim("w")
        ledger.complete(name, "w")
    when = {one: ledger.history(one)[1][-1].time for one in ("late", "soon")}
    found = {one["id"]: (one["completed"], one["late"], one["overdue"]) for one in told(project, "list")}
    assert found["late"] == (when["late"], True, False)
    assert found["soon"] == (when["soon"], False, False)
    assert found["waits"] == (None, None, False)
    assert told(project, "show", "late")["completed"] == when["late"]
    (shown,) = [line for line in request(project, "list")[1].splitlines() if "2020-02-01" in line]
    assert shown.count("late") == 2, "its id, and that it was"


def test_the_runs_of_a_request_are_shown(project):
    told(project, "submit", "r-1", "--class", "3")
    policy, ledger = Checkout(project).params.policy.digest, connect(project)
    (submitted,) = told(project, "show", "r-1")["events"]
    assert submitted["policy"] == policy
    asked = [ledger.history("r-1")[0].submission.request]
    for digest, result in ((policy, "refused"), ("sha256:" + "1" * 64, "accepted")):
        record_run(ledger, asked, actor="w", policy=digest)
        record_run(ledger, asked, actor="w", policy=digest, result=result, deletion="sha256:" + "2" * 64)
    history = told(project, "show", "r-1")["history"]
    assert (history["policy_at_receipt"], len(history["runs"])) == (policy, 2)
    shown = request(project, "show", "r-1")[1]
    assert "runs       2: 1 refused, 1 accepted" in shown
    assert "policy     was changed" in shown


REFUSED = {
    "unknown class: eleven": ["submit", "r-1", "--class", "eleven"],
    f"unknown subject: {NOBODY}": ["submit", "r-1", "--subject", NOBODY],
    f"unknown sample: {NOBODY}": ["submit", "r-1", "--sample", NOBODY],
    "this one names nothing": ["submit", "r-1"],
    "the id 'demo' is taken": ["submit", "demo", "--class", "4"],
    "id: String should match pattern": ["submit", "../r", "--class", "4"],
    "is not an id: expected non-empty UTF-8 text": ["submit", "\udcff", "--class", "4"],
    "in the future": ["submit", "r-1", "--class", "4", "--received", "2999-01-01"],
    "not a day or a time": ["submit", "r-1", "--class", "4", "--received", "tomorrow"],
    "model: String should match pattern": ["submit", "r-1", "--class", "4", "--model", "a b"],
    "expected <gdpr|ccpa>": ["submit", "r-1", "--class", "4", "--basis", "lgpd"],
    "not a day of the calendar": ["list", "--due-before", "soon"],
    "no request 'r-9' in the ledger": ["show", "r-9"],
    "cannot read none.csv: No such file": ["import", "none.csv"],
    "Missing option '--reason'": ["cancel", "r-1"],
}


@pytest.mark.parametrize("said", REFUSED)
def test_what_cannot_be_is_refused_and_leaves_no_row(project, said):
    code, out, err = request(project, *REFUSED[said])
    assert (code, out) == (2, "")
    assert said in " ".join(err.replace("│", " ").split())
    assert told(project, "list") == []


def test_another_scope_under_the_same_id_is_refused(project):
    told(project, "submit", "r-1", "--class", "3")
    code, _, err = request(project, "submit", "r-1", "--class", "4")
    assert code == 2
    assert "the id 'r-1' is taken by a request with another scope" in err


def test_no_raw_id_is_anywhere(project, tmp_path):
    rows = f"id,kind,name\nr-2,subject,subject-0002\nr-3,subject,{NOBODY}\n"
    (tmp_path / "two.csv").write_text(rows)
    printed = "".join(request(project, "submit", "r-1", "--subject", PERSON)[1:])
    printed += "".join(request(project, "import", str(tmp_path / "two.csv"))[1:])
    printed += "".join(request(project, "list", "--json")[1:])
    assert "hmac-sha256:" in printed
    for name in (PERSON, NOBODY, "subject-0002"):
        assert name not in printed
        assert [path for path, raw in files_of(project / "requests").items() if name.encode() in raw] == []


def test_a_file_comes_in_whole_and_twice_is_once(project, tmp_path):
    path = tmp_path / "requests.json"
    rows = [("r-1", "subject", PERSON), ("r-2", "class", "3"), ("r-1", "subject", "subject-0002")]
    path.write_text(json.dumps([dict(zip(("id", "kind", "name"), row, strict=True)) for row in rows]))
    first = told(project, "import", str(path))
    assert [(one["id"], one["forgets"]) for one in first] == [("r-1", "2 subjects"), ("r-2", "class 3")]
    assert told(project, "import", str(path)) == first
    assert len(told(project, "list")) == 2


def test_of_a_file_with_a_wrong_row_nothing_comes_in_and_each_wrong_row_is_named(project, tmp_path):
    path = tmp_path / "requests.csv"
    told(project, "submit", "taken", "--class", "5")
    path.write_text(f"id,kind,name\nr-1,class,3\nr-2,subject,{NOBODY}\nr-3,class,eleven\n")
    code, out, err = request(project, "import", str(path))
    assert (code, out) == (2, "")
    assert "line 3: unknown subject: the one of line 3" in err
    assert "line 4: unknown class; the data set has 0, 1, 2" in err
    assert "eleven" not in err
    assert NOBODY not in err
    path.write_text("id,kind,name\nr-1,class,3\ntaken,class,4\n")
    code, _, err = request(project, "import", str(path))
    assert code == 2
    assert "line 3: the id 'taken' is taken" in err
    assert [one["id"] for one in told(project, "list")] == ["taken"]


def test_a_failed_request_is_put_in_line_again_and_a_running_one_is_not_cancelled(project):
    told(project, "submit", "r-1", "--class", "3")
    ledger = connect(project)
    ledger.claim("w")
    code, _, err = request(project, "cancel", "r-1", "--reason", "withdrawn")
    assert code == 2
    assert "it is running" in err
    ledger.fail("r-1", "w", reason="no method was accepted")
    assert told(project, "retry", "r-1", "--reason", "another policy")["state"] == "received"
    out = request(project, "show", "r-1")[1]
    assert all(word in out for word in ("no method was accepted", "another policy", "clerk", "fail"))


def test_the_chain_is_verified_and_a_change_has_the_exit_code_of_false_evidence(project):
    left_out = {"the bucket": "none is configured"}
    assert told(project, "verify") == {
        "verified": True, "head": None, "compared": {}, "not_compared": left_out
    }  # fmt: skip
    told(project, "submit", "r-1", "--class", "3")
    head = told(project, "verify")["head"]
    assert request(project, "verify", "--head", head)[0] == 0
    assert request(project, "verify", "--head", "sha256:" + "0" * 64)[0] == 6
    with connect(project).engine.begin() as connection:
        connection.exec_driver_sql("DROP TRIGGER events_are_never_updated")
        connection.exec_driver_sql("UPDATE deletion_events SET actor = 'nobody'")
    code, _, err = request(project, "verify")
    assert code == 6
    assert "broken at event 1" in err


def test_elsewhere_a_request_needs_a_ledger_and_a_model_and_is_not_checked(tmp_path, monkeypatch):
    code, out, err = request(tmp_path, "submit", "r-1", "--class", "eleven")
    assert (code, out) == (2, "")
    assert "is not in a Lethe project" in err
    assert "or set LETHE_DATABASE_URL" in err
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setenv("LETHE_DATABASE_URL", f"sqlite:///{tmp_path / 'ledger.db'}")
    code, out, err = request(tmp_path, "submit", "r-1", "--class", "eleven")
    assert (code, out) == (2, "")
    assert "--model NAME" in err
    code, out, err = request(tmp_path, "submit", "r-1", "--class", "eleven", "--model", "cifar")
    assert code == 0
    assert "not checked: the data of cifar is not here" in err


def test_what_does_not_fit_leaves_no_ledger_behind(tmp_path):
    empty = make_checkout(tmp_path / "project")
    code, _, err = request(empty, "submit", "r-1", "--class", "threee")
    assert (code, "unknown class: threee" in err) == (2, True)
    assert not (empty / "requests" / "ledger.db").exists()


def test_a_misspelt_id_comes_with_the_nearest(project):
    assert request(project, "submit", "holiday-17", "--class", "3")[0] == 0
    code, _, err = request(project, "show", "holliday-17")
    assert (code, "did you mean holiday-17?" in err) == (2, True)


def test_a_request_for_another_model_than_the_checkouts_is_not_checked_against_its_data(project):
    write_params(project, {"registry": {"model": "digits"}})
    code, out, err = request(project, "submit", "r-1", "--class", "eleven", "--model", "cifar")
    assert (code, out.endswith("class eleven of cifar\n")) == (0, True)
    assert "not checked" in err


def test_a_database_that_cannot_be_reached_is_one_message_without_its_password(project, monkeypatch):
    monkeypatch.setenv("LETHE_DATABASE_URL", "postgresql://lethe:s3cret@127.0.0.1:1/ledger")
    for arguments in (["request", "submit", "r-1", "--class", "3"], ["request", "list"], ["db", "upgrade"]):
        code, out, err = lethe(project, *arguments)
        assert (code, out) == (2, "")
        assert err.startswith("lethe: the ledger at postgresql://127.0.0.1:1/ledger cannot be used: ")
        assert "s3cret" not in err
        assert "Traceback" not in err


def test_the_version_of_the_tables_is_told(project):
    code, out, _ = lethe(project, "db", "current", "--json")
    assert (code, json.loads(out)["version"]) == (0, None)
    assert not (project / "requests/ledger.db").exists()
    assert lethe(project, "db", "upgrade")[0] == 0
    code, out, _ = lethe(project, "db", "current")
    place = f"sqlite:///{project}/requests/ledger.db"
    assert (code, out) == (0, f"{place}: version 0004; this Lethe needs 0004\n")


def test_git_does_not_see_the_ledger(project):
    told(project, "submit", "r-1", "--class", "3")
    command = ["git", "-C", str(project), "status", "--porcelain"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "ledger" not in done.stdout


def test_who_acts_is_the_systems_user_unless_said_otherwise(monkeypatch):
    assert actor() == "clerk"
    monkeypatch.delenv("LETHE_ACTOR")
    monkeypatch.setenv("LOGNAME", "jane")
    assert actor() == "jane"
    monkeypatch.setattr("getpass.getuser", nobody)
    assert actor() == f"uid {os.getuid()}"


def nobody():
    raise KeyError
