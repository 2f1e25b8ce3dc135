"""What the log of a real deletion says to machines, and what it never says."""

import json
from types import SimpleNamespace

import pytest
from story import PERSON
from world import NOISE, clone, lethe, pseudonym, run

from tasks.checkout.checkout import Checkout
from tasks.checkout.files import write_record
from tasks.checkout.params import write_params
from tasks.keys.folder import load_pseudonym_key
from tasks.lifecycle.releases import read_release
from tasks.requests.ledger.changing import Draft
from tasks.requests.ledger.ledger import connect
from tasks.requests.request_file import make_request
from unlearn_core.records.scope import SubjectScope

pytestmark = [*NOISE, pytest.mark.long]


@pytest.fixture(scope="module")
def served(project, prefect_server, tmp_path_factory):
    """A request for one person, served by the command line, and what it wrote on standard error."""
    root = clone(project, tmp_path_factory.mktemp("logged") / "project")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LETHE_LOG", "json")
        code, out, err = lethe(root, "delete", "r-17", "--subject", PERSON)
    assert code == 0, err
    return SimpleNamespace(checkout=Checkout(root), out=out, err=err, lines=documents(err))


def documents(err):
    return [json.loads(line) for line in err.splitlines()]


def test_every_line_is_a_document_about_the_request(served):
    assert {line["request"] for line in served.lines} == {"r-17"}
    assert {line["level"] for line in served.lines} == {"info"}
    told = [line["message"].split()[1] for line in served.lines if line["message"].startswith("✓")]
    assert told[:4] == ["code", "dataset", "parent", "moments"]
    assert {"split", "unlearn", "certify"} <= set(told)


def test_every_line_names_the_flow_run_and_mlflows_once_it_is_open(served):
    assert len({line["flow_run"] for line in served.lines}) == 1
    assert served.lines[0]["flow_run"] is not None
    runs = [line["run"] for line in served.lines]
    assert runs[-1] == read_release(served.checkout, "r-17").run
    assert set(runs) <= {None, runs[-1]}


def test_no_line_names_a_person_or_holds_a_key(served):
    written = served.out + served.err
    assert PERSON not in written
    assert load_pseudonym_key().hex() not in written
    assert load_pseudonym_key().decode("latin-1") not in written


def test_a_refusal_says_no_more_than_a_pseudonym_where_the_log_is_kept(served, monkeypatch):
    monkeypatch.setenv("LETHE_LOG", "json")
    code, _, err = lethe(served.checkout.root, "delete", "r-18", "--subject", "somebody-else")
    (line,) = documents(err)
    assert (code, line["level"], line["request"]) == (2, "error", "r-18")
    assert "unknown subject: hmac-sha256:" in line["message"]
    assert "somebody-else" not in err


def test_a_worker_says_of_which_request_it_tells(served, monkeypatch):
    monkeypatch.setenv("LETHE_LOG", "json")
    request = make_request("r-20", SubjectScope(subjects=(pseudonym("somebody-else"),)), model="digits")
    connect(served.checkout.root).submit([Draft(request, "digits")], actor="t")
    code, _, err = lethe(served.checkout.root, "pending")
    claimed, failed, summary = documents(err)
    assert (code, claimed["message"]) == (4, "· r-20 of digits")
    assert [line["request"] for line in (claimed, failed, summary)] == ["r-20", "r-20", None]
    assert (failed["level"], failed["flow_run"]) == ("error", claimed["flow_run"])
    assert "unknown subject: hmac-sha256:" in failed["message"]


def test_a_stage_that_dvc_starts_writes_the_same_log(served, monkeypatch):
    # It comes last: a stage that fails leaves the checkout without what it makes.
    monkeypatch.setenv("LETHE_LOG", "json")
    checkout, scope = served.checkout, SubjectScope(subjects=(pseudonym("somebody-else"),))
    write_record(checkout.request("r-19"), make_request("r-19", scope, model="digits"))
    write_params(checkout.root, {"request": "r-19"})
    done = run(checkout.root, "dvc", "repro", "--single-item", "split")
    assert done.returncode != 0
    (line,) = documents("\n".join(line for line in done.stderr.splitlines() if line.startswith("{")))
    assert (line["logger"], line["level"], line["request"]) == ("lethe.split_data", "error", "r-19")
    assert "unknown subject: hmac-sha256:" in line["message"]
    assert "Traceback" not in done.stderr
