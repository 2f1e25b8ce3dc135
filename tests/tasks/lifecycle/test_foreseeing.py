"""What a deletion will do, told before it starts."""

import pytest
from world import files_of, lethe, make_checkout

from tasks.checkout.checkout import Checkout
from tasks.checkout.files import write_record
from tasks.checkout.params import set_values
from tasks.lifecycle.foreseeing import foresee, foresight_lines
from tasks.requests.request_file import make_request, make_scope
from unlearn_core.records.base import sha256
from unlearn_core.records.deletion import Outcome, Released
from unlearn_core.records.evaluation import TimeSpent

DIGEST = sha256(b"")


def asking(request_id="r-2", **named):
    scope = make_scope(**{"classes": (), "samples": (), "subjects": (), **named})
    return make_request(request_id, scope, model="digits")


@pytest.fixture
def checkout(tmp_path):
    return Checkout(make_checkout(tmp_path / "project"))


def serve_earlier(checkout, method, spent):
    """Leave what an earlier deletion of a class leaves: its request, its release, and where its time went."""
    outcome = Outcome(
        request="r-1",
        method=method,
        verdict="passes",
        level="E1",
        note=None,
        **dict.fromkeys(("deletion", "data", "retained", "parent", "model", "policy"), DIGEST),
    )
    released = Released(
        outcome=outcome,
        registered_model="digits",
        registered_version=1,
        certificate="",
        certificate_digest=DIGEST,
        run="run",
    )
    write_record(checkout.request("r-1"), asking("r-1", classes=("4",)))
    write_record(checkout.released("r-1"), released)
    write_record(checkout.time_spent("r-1"), spent)


def test_rungs_trainings_and_stages_are_told_before_anything_was_made(checkout):
    found = foresee(checkout, asking(classes=("3",)))
    assert (found.methods, found.trainings, found.seconds) == (("svd", "retrain"), 1, None)
    assert [one.stage for one in found.stages] == ["dataset", "parent", "moments"]
    assert (found.retraining, found.advice) == ((), ())
    assert "takes about  unknown: no deletion of this kind has run here" in foresight_lines(found)


def test_the_time_is_what_earlier_deletions_took_with_the_trainings_that_are_missing_now(checkout):
    serve_earlier(checkout, "retrain", TimeSpent(split=10, training=99, methods=20, retraining=40))
    found = foresee(checkout, asking(classes=("3",)))
    assert (found.seconds, found.based_on) == (10 + 20 + 40, 1)
    assert found.retraining == ("1 of 1 earlier deletions of this kind here ended in a retraining",)
    assert foresee(checkout, asking(samples=("digit-0003",))).seconds is None


def test_a_request_that_only_retraining_can_serve_is_told_so(checkout):
    set_values(checkout.root, {("policy", "drift"): {"max_requests": 0}})
    found = foresee(Checkout(checkout.root), asking(classes=("3",)))
    assert found.methods == ("retrain",)
    assert "drift budget is spent" in found.retraining[0]


def test_a_dry_run_prints_the_outlook_and_changes_nothing(checkout):
    before = files_of(checkout.root)
    named = ("delete", "r-2", "--class", "3", "--sample", "digit-0003", "--dry-run")
    code, out, err = lethe(checkout.root, *named, "--json")
    assert (code, '"methods": [' in out) == (0, True), err
    assert lethe(checkout.root, *named)[1].startswith("forgets      ")
    assert files_of(checkout.root) == before
