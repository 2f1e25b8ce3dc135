"""A class is forgotten, then a person, by a method that brings the class back."""

import pytest
from sequence import LENIENT, of_class, prepare, serve
from world import NOISE, SMALL, accuracy, lethe, make_checkout

from tasks.checkout.checkout import Checkout
from tasks.computing.checkpoints import load_checkpoint
from tasks.data.datasets import read_card, read_manifest
from tasks.data.pool import Pool
from tasks.evidence.verification import verify_files
from tasks.lifecycle.releases import continue_from_champion
from tasks.requests.request_file import make_scope
from unlearn_core.records.data import FORGOTTEN_SPLIT
from unlearn_core.records.earlier import EarlierRequest

pytestmark = [*NOISE, pytest.mark.long]

# SVD hides a class in a few directions; at this rate SCRUB moves the weights enough to find it again.
SCRUB = {"optimizer": "sgd", "learning_rate": 0.005, "schedule": "constant", "epochs": 3, "batch_size": 64}
TRAINED = {**SMALL["parent"], "recipe": {**SMALL["parent"]["recipe"], "epochs": 6}}


@pytest.fixture(scope="module")
def served(own_folders, tmp_path_factory):
    """Return the checkout after both requests, and the records of the two ladders."""
    ladder = {"classes": ["svd"], "samples": ["scrub", "finetune"]}
    root = make_checkout(
        tmp_path_factory.mktemp("relapse") / "project",
        parent=TRAINED,
        policy={**LENIENT, "reference": "cached", "ladder": ladder},
        methods={**SMALL["methods"], "scrub": {"recipe": SCRUB}},
    )
    person = make_scope(classes=(), samples=(), subjects=("subject-0004",))
    prepare(root)
    first = serve(root, "c-3", of_class("3"))
    continue_from_champion(Checkout(root))
    prepare(root)
    return Checkout(root), first, serve(root, "p-1", person)


def test_held_out_rows_of_the_class_are_kept_for_judging_alone(served):
    checkout, _, _ = served
    manifest = read_manifest(checkout.dataset)
    three = manifest.labels == manifest.classes.index("3")
    assert three.sum() > 40
    assert set(manifest.splits[three]) == {FORGOTTEN_SPLIT}
    assert not (manifest.splits[~three] == FORGOTTEN_SPLIT).any()
    asked = EarlierRequest(request="c-3", kind="classes", classes=(manifest.classes.index("3"),))
    assert read_card(checkout.dataset).earlier == (asked,)
    assert [one.request for one in read_card(checkout.retained).earlier] == ["c-3", "p-1"]


def test_the_first_deletion_has_nothing_to_be_asked_for(served):
    _, first, _ = served
    assert first.accepted.earlier == ()


def test_the_method_that_brings_the_class_back_is_refused_with_the_requests_id(served):
    _, _, second = served
    rung = second.rungs[0]
    (asked,) = rung.earlier
    assert asked.parent.accuracy < 0.05
    assert asked.candidate.accuracy > 0.3
    assert (rung.unlearning.name, rung.accepted, rung.ending) == ("scrub", False, "relapsed")
    assert "request c-3 has relapsed" in rung.why


def test_the_model_that_is_taken_does_not_know_the_class(served):
    checkout, _, second = served
    (asked,) = second.accepted.earlier
    model, _ = load_checkpoint(checkout.unlearned)
    kept = Pool(checkout, "cpu").split(FORGOTTEN_SPLIT)
    assert second.accepted.unlearning.name == "finetune"
    assert asked.outcome == "still_forgotten"
    assert (asked.candidate.rows, asked.candidate.accuracy) == (len(kept), accuracy(model, kept))
    assert accuracy(model, kept) < 0.1


def test_certificate_report_and_command_say_so(served):
    checkout, _, second = served
    assert verify_files(checkout.certificate("p-1"))
    words = second.accepted.earlier[0].in_words
    page = checkout.report("p-1").read_text()
    assert "1 request was served on this model before. 1 could be asked again" in page
    assert f"c-3: {words}" in page
    code, told, _ = lethe(checkout.root, "delete", "p-1")
    assert code == 0
    assert f"earlier      c-3: {words}" in told
