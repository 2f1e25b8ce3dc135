"""A request that is run until a model is accepted: the ledger has every run, and the certificate tells them.

Each of these must turn red: a run that leaves no event; a policy that was changed and not told of; a replay
that counts as a run; what was cancelled and is served.
"""

from contextlib import nullcontext

import pytest
from tiny import prepared_tiny
from world import ANYTHING, NOISE, NOTHING, files_of, lethe, make_checkout

from flows.delete import delete_together
from flows.stages.certify import certify
from flows.stages.pipeline import DELETION, run_due
from flows.stages.unlearn import climb_ladder
from tasks.checkout.checkout import Checkout
from tasks.checkout.params import read_values, write_params
from tasks.evidence.verification import verify_bytes
from tasks.keys.signing import read_certificate
from tasks.requests.claims import hold
from tasks.requests.ledger.changing import Draft
from tasks.requests.ledger.ledger import connect
from tasks.requests.request_file import make_request, make_scope, submit_request
from tasks.requests.runs import find_history, recorded_run
from unlearn_core.errors import GateError, RequestError

pytestmark = NOISE
REQUEST = make_request("r-3", make_scope(classes=("b",), samples=(), subjects=()), model="digits")


@pytest.fixture(scope="module")
def origin(own_folders, tmp_path_factory):
    return make_checkout(tmp_path_factory.mktemp("runs") / "project")


@pytest.fixture
def empty(origin, monkeypatch):
    """A checkout without data and without a ledger."""
    monkeypatch.delenv("LETHE_DATABASE_URL", raising=False)
    (origin / "requests/ledger.db").unlink(missing_ok=True)
    return origin


@pytest.fixture
def project(own_folders, tmp_path, monkeypatch):
    monkeypatch.delenv("LETHE_DATABASE_URL", raising=False)
    return prepared_tiny(tmp_path / "project")


def enter(project, **draft):
    ledger = connect(project)
    policy = Checkout(project).params.policy.digest
    ledger.submit([Draft(REQUEST, "digits", policy=policy, **draft)], actor="clerk")
    return ledger


def policy_with(project, *bands):
    write_params(project, {"policy": {**read_values(project)["policy"], "classes": list(bands)}})
    return Checkout(project).params.policy.digest


def runs(ledger):
    return [(one.action, one.run) for one in ledger.history("r-3")[1]]


ENDS = {
    None: [("end", "accepted")],
    GateError: [("end", "refused")],
    ValueError: [("end", "failed")],
    KeyboardInterrupt: [],
}


@pytest.mark.parametrize("error", ENDS)
def test_a_run_is_recorded_however_it_ends(empty, error):
    ledger, checkout = enter(empty), Checkout(empty)
    with pytest.raises(error) if error else nullcontext(), recorded_run(checkout, [REQUEST]):
        if error:
            raise error
    told = [event for event in ledger.history("r-3")[1] if event.action in {"begin", "end"}]
    assert {event.policy for event in told} == {checkout.params.policy.digest}
    assert runs(ledger) == [("submit", None), ("begin", None), *ENDS[error]]
    assert [run.result for run in find_history(checkout, REQUEST).runs] == [
        dict(ENDS[error]).get("end", "interrupted")
    ]
    ledger.verify()


def test_what_no_ledger_holds_leaves_no_trace_and_no_ledger(empty):
    with recorded_run(Checkout(empty), [REQUEST]):
        pass
    assert not Checkout(empty).ledger.exists()
    assert find_history(Checkout(empty), REQUEST) is None


def test_a_workers_run_is_told_as_the_workers(empty):
    ledger = enter(empty)
    with (
        hold(ledger, ledger.claim("worker 7"), "worker 7", limit_s=9),
        recorded_run(Checkout(empty), [REQUEST]),
    ):
        pass
    assert [event.actor for event in ledger.history("r-3")[1]] == ["clerk", *["worker 7"] * 3]
    assert ledger.history("r-3")[0].state == "running"


def test_what_was_cancelled_is_not_served(project):
    enter(project).cancel("r-3", actor="clerk", reason="withdrawn")
    before = files_of(project / "data", project / "requests", project / "evidence")
    other = make_request("r-4", make_scope(classes=("c",), samples=(), subjects=()), model="digits")
    another_scope = make_request("r-3", other.scope, model="digits")
    for wanted in ([REQUEST], [another_scope], [other, REQUEST]):
        with pytest.raises(RequestError, match="'r-3' was cancelled in the ledger"):
            delete_together(Checkout(project), wanted)
    for more in ([], ["--dry-run"]):
        code, _, err = lethe(project, "delete", "r-3", "--class", "b", *more)
        assert (code, "was cancelled in the ledger" in err) == (2, True)
    assert files_of(project / "data", project / "requests", project / "evidence") == before


def test_no_stage_works_on_what_was_cancelled(empty):
    ledger = enter(empty)
    ledger.cancel("r-3", actor="clerk", reason="withdrawn")
    with (
        pytest.raises(RequestError, match="cannot begin request 'r-3': it is cancelled"),
        recorded_run(Checkout(empty), [REQUEST]),
    ):
        pass
    ledger.verify()


def refuse(project):
    with pytest.raises(GateError):
        climb_ladder(Checkout(project))


def serve(project):
    for name in ("split", "unlearn"):
        run_due(Checkout(project), name, DELETION[name])
    certify(Checkout(project))
    return verify_bytes(read_certificate(Checkout(project).certificate("r-3")))[0]


@pytest.mark.long
def test_the_certificate_tells_the_refused_runs_and_that_the_policy_was_changed(project):
    at_receipt = policy_with(project, NOTHING)
    ledger = enter(project)
    submit_request(Checkout(project), REQUEST)
    run_due(Checkout(project), "split", DELETION["split"])
    refuse(project)
    refuse(project)
    now = policy_with(project, ANYTHING)
    history = serve(project).history
    assert [(run.result, run.policy) for run in history.runs] == [("refused", at_receipt)] * 2
    assert (history.source, history.policy_at_receipt) == ("ledger", at_receipt)
    assert history.policy_changed(now)
    page = Checkout(project).report("r-3").read_text()
    assert "a policy that was changed after the request was received" in page
    assert "There were 2 earlier runs of the request: 2 refused by the gate." in page
    climb_ladder(Checkout(project), replays=True)
    assert runs(ledger)[1:] == [
        ("begin", None), ("end", "refused"), ("begin", None), ("end", "refused"), ("begin", None),
        ("end", "accepted"),
    ]  # fmt: skip


@pytest.mark.long
def test_without_a_ledger_the_project_tells_what_was_logged(project):
    before = policy_with(project, NOTHING)
    submit_request(Checkout(project), REQUEST)
    run_due(Checkout(project), "split", DELETION["split"])
    refuse(project)
    values = read_values(project)["methods"]
    write_params(project, {"methods": {**values, "svd": {"grid_r": [100.0], "grid_f": [4.0, 20.0]}}})
    policy_with(project, ANYTHING)
    history = serve(project).history
    assert history.source == "project"
    assert [(run.result, run.policy) for run in history.runs] == [("refused", before)]
    assert history.policy_at_receipt is None


@pytest.mark.long
def test_a_first_run_without_a_ledger_says_nothing(project):
    submit_request(Checkout(project), REQUEST)
    assert serve(project).history is None
