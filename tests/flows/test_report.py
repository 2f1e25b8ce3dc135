"""The report of a real deletion: where it is written, what it is written again from, what it leaves alone."""

import json
import shutil

import pytest
from absence import incomplete, inventory_of
from templates import served_checkout
from world import NOISE, NOTHING, lethe

from flows.stages.unlearn import climb_ladder
from tasks.checkout.checkout import Checkout
from tasks.checkout.files import write_record
from tasks.checkout.params import read_values, write_params
from tasks.evidence.inventories import sign_inventory
from tasks.keys.folder import home, init_keys
from tasks.lifecycle.releases import read_release
from tasks.storage.versioning import is_current
from tasks.tracking.runs import tracking_of
from unlearn_core.errors import GateError
from unlearn_core.records.base import sha256
from unlearn_core.records.purge import PurgeRecord
from unlearn_core.records.request import RequestSummary

pytestmark = [*NOISE, pytest.mark.long]


@pytest.fixture(scope="module")
def served(own_folders, tmp_path_factory):
    return served_checkout(tmp_path_factory.mktemp("reported") / "project")


def page_of(root):
    return Checkout(root).report("demo").read_bytes()


def reported(root, *arguments):
    code, out, err = lethe(root, "report", *arguments, "--json")
    assert (code, err) == (0, "")
    return json.loads(out)


def test_a_certified_deletion_has_its_page_beside_the_certificate(served):
    released = read_release(Checkout(served), "demo")
    assert released.certificate_digest in page_of(served).decode()


def test_the_page_is_among_the_documents_of_the_deletions_run(served):
    run = read_release(Checkout(served), "demo").run
    logged = tracking_of(Checkout(served)).client.list_artifacts(run, "evidence")
    assert "evidence/report.html" in {entry.path for entry in logged}


def test_the_command_writes_the_same_page_again_and_changes_nothing_pinned(copy):
    before = page_of(copy)
    Checkout(copy).report("demo").unlink()
    told = reported(copy)
    assert told == {"request": "demo", "report": str(Checkout(copy).report("demo"))}
    assert page_of(copy) == before


def test_a_deletion_with_its_report_is_current(served):
    assert is_current(served, "certify")


def test_the_page_goes_where_it_is_wanted(served, tmp_path):
    told = reported(served, "demo", "--output", str(tmp_path / "page.html"))
    assert told["report"] == str(tmp_path / "page.html")
    assert (tmp_path / "page.html").read_bytes() == page_of(served)


def test_a_checkout_that_has_moved_on_still_tells_the_deletion(copy):
    before = page_of(copy)
    for folder in ("data/split", "reports"):
        shutil.rmtree(copy / folder)
    reported(copy, "demo")
    assert page_of(copy) == before


def test_a_checkout_without_evidence_says_that_there_is_no_certificate(copy):
    shutil.rmtree(copy / "evidence")
    reported(copy)
    assert b"There is no certificate in this copy" in page_of(copy)


def moved_on(root, change):
    """Leave only the evidence, as in a clone of somebody else's, with one change in the unsigned facts."""
    for folder in ("data/split", "reports"):
        shutil.rmtree(root / folder)
    kept = Checkout(root).report_facts("demo")
    facts = json.loads(kept.read_bytes())
    change(facts)
    kept.write_text(json.dumps(facts))
    return lethe(root, "report", "demo")


def accepted_in(facts):
    return next(rung for rung in facts["deletion"]["rungs"] if rung["accepted"])


FORGED = {
    "what was measured on the unlearned model": lambda facts: accepted_in(facts)["evaluation"][
        "measurements"
    ][0].update(value=0.125),
    "verdict": lambda facts: accepted_in(facts)["verdict"].update(level="E3"),
    "attempts": lambda facts: facts["deletion"]["tried"].insert(0, "pgu"),
    "numbers of training images": lambda facts: facts.update(forgotten_rows=facts["forgotten_rows"] + 1),
    "names of the forgotten classes": lambda facts: facts.update(forgotten_classes=[4]),
    "policy": lambda facts: facts["released"]["outcome"].update(policy="sha256:" + "0" * 64),
    "what the gate says of the model before": lambda facts: facts["deletion"].update(
        original_verdict=accepted_in(facts)["verdict"]
    ),
}


@pytest.mark.parametrize(("what", "change"), FORGED.items(), ids=FORGED)
def test_facts_that_are_not_those_of_the_certificate_are_told_on_top(copy, what, change):
    code, _, err = moved_on(copy, change)
    page = page_of(copy).decode()
    assert (code, "is not what was signed" in err) == (0, True)
    assert "<h1>Do not rely on this page. It does not say what its certificate says.</h1>" in page
    assert f"Differs: {what}" in page
    assert "The certificate was signed at" not in page


def test_a_certificate_inside_of_the_facts_is_not_believed(copy):
    Checkout(copy).certificate("demo").unlink()
    moved_on(copy, lambda facts: None)
    page = page_of(copy).decode()
    assert "there is no certificate in this copy of the project to compare it with" in page
    assert 'class="badge good"' not in page
    assert "The certificate was signed at" not in page


def test_a_signature_of_somebody_else_is_not_called_one_of_the_issuer(copy, monkeypatch, tmp_path):
    monkeypatch.setenv("LETHE_HOME", str(tmp_path / "nobody"))
    moved_on(copy, lambda facts: None)
    page = page_of(copy).decode()
    assert "The signature was not checked" in page
    assert 'class="badge good"' not in page
    assert "The certificate was signed at" not in page


def test_a_name_is_not_called_confirmed_where_the_request_is_missing(copy):
    Checkout(copy).request("demo").unlink()
    moved_on(copy, lambda facts: facts.update(forgotten_classes=[4]))
    page = page_of(copy).decode()
    assert "that the page names the right one is not confirmed" in page
    assert 'class="badge good"' not in page
    assert "The certificate was signed at" not in page


def test_a_signature_that_is_not_over_the_certificate_is_told_on_top(copy):
    path = Checkout(copy).certificate("demo")
    envelope = json.loads(path.read_bytes())
    envelope["signatures"][0]["sig"] = "A" * 86 + "=="
    path.write_text(json.dumps(envelope))
    moved_on(copy, lambda facts: None)
    assert "Do not rely on this page. The certificate beside it is not valid." in page_of(copy).decode()


def test_what_was_compared_and_what_the_signature_does_not_cover_is_told(served):
    page = page_of(served).decode()
    assert "whose signature is that of a trusted key" in page
    assert "It does not cover the names of classes" in page
    assert "The certificate was signed at" in page


def purged(root, inventory, /, **changes):
    """Write what a proof leaves: the signed inventory, and the record of the purge."""
    place, signed = Checkout(root), sign_inventory(inventory, name="certificate.dsse.json")
    values = {
        "request": "demo",
        "plan": inventory.plan,
        "started": inventory.started,
        "data": (),
        "models": (),
        "finished": inventory.started,
        "inventory": sha256(signed),
        "proved": inventory.finished,
    }
    place.inventory("demo").write_bytes(signed)
    write_record(place.purge_record("demo"), PurgeRecord(**(values | changes)))
    assert lethe(root, "report", "demo")[0] == 0
    return page_of(root).decode()


ERASED = "Model unlearned, data erased: the inventory of 2026-11-30 12:00 UTC found none of it."


def test_data_are_called_erased_if_a_signed_inventory_says_so(copy):
    issued = Checkout(copy).certificate("demo").read_bytes()
    page = purged(copy, inventory_of(issued))
    assert ERASED in page
    assert '<th scope="row">this project</th><td class="number">2</td><td class="number">2</td>' in page


@pytest.mark.parametrize(
    ("about", "changes"),
    {
        "without a digest": ({}, {"inventory": None}),
        "of another inventory": ({}, {"inventory": sha256(b"another")}),
        "at another time": ({}, {"proved": "2026-11-30T13:00:00Z"}),
        "of another request": ({"request": RequestSummary(id="r-9", kind="classes", scope=sha256(b""))}, {}),
        "about another certificate": ({"certificate": sha256(b"another")}, {}),
    }.values(),
)
def test_a_record_of_a_purge_that_its_inventory_does_not_bear_out_shows_nothing(copy, about, changes):
    issued = Checkout(copy).certificate("demo").read_bytes()
    page = purged(copy, inventory_of(issued, **about), **changes)
    assert "data not yet erased as far as can be shown: the record of the purge and the inventory" in page
    assert "data erased:" not in page
    assert "The inventory is signed" not in page


def test_an_inventory_of_what_is_left_shows_no_absence(copy):
    page = purged(copy, incomplete(Checkout(copy).certificate("demo").read_bytes()))
    assert "do not agree" in page
    assert "data erased:" not in page


def test_without_its_inventory_a_record_of_a_purge_shows_nothing(copy):
    purged(copy, inventory_of(Checkout(copy).certificate("demo").read_bytes()))
    Checkout(copy).inventory("demo").unlink()
    assert lethe(copy, "report", "demo")[0] == 0
    assert "the inventory that it names is not here" in page_of(copy).decode()
    assert "data erased:" not in page_of(copy).decode()


def test_an_inventory_by_an_unknown_key_shows_nothing(copy, monkeypatch, tmp_path):
    issued = Checkout(copy).certificate("demo").read_bytes()
    with monkeypatch.context() as there:
        there.setenv("LETHE_HOME", str(tmp_path / "stranger"))
        init_keys(home())
        assert ERASED in purged(copy, inventory_of(issued))
    assert lethe(copy, "report", "demo")[0] == 0
    assert "could not be verified" in page_of(copy).decode()
    assert "data erased:" not in page_of(copy).decode()


def test_a_request_that_nothing_tells_of_is_refused(served):
    code, out, err = lethe(served, "report", "r-404")
    assert (code, out) == (2, "")
    assert "nothing here is about a deletion for the request 'r-404'" in err


def test_a_deletion_without_an_accepted_model_says_why(copy):
    policy = read_values(copy)["policy"]
    write_params(copy, {"policy": {**policy, "classes": [NOTHING], "reference": "none"}})
    with pytest.raises(GateError):
        climb_ladder(Checkout(copy))
    reported(copy)
    assert b"Nothing was released, and the model in use stays as it was." in page_of(copy)
