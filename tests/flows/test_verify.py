"""The flow ``verify``: what it looks for in a checkout, and what it believes.

Each of these must turn red: a model that was replaced, with its card or without, and is called verified; one
that is gone, and is called verified; a model in use that no certificate is about, and nobody says so.
"""

import json
import shutil
from pathlib import Path

import pytest
from templates import served_checkout
from world import NOISE, ROOT, lethe

from tasks.checkout.checkout import Checkout
from tasks.checkout.files import file_digest
from tasks.checkout.tags import Tag
from tasks.computing.checkpoints import CARD, WEIGHTS, read_checkpoint_card
from tasks.keys.folder import home
from tasks.tracking.registry import champion, promote
from tasks.tracking.runs import tracking_of
from unlearn_core.records.base import canonical_json

pytestmark = [*NOISE, pytest.mark.long, pytest.mark.usefixtures("prefect_server")]

GOLDEN = ROOT / "tests" / "golden"
NAME = "demo"


@pytest.fixture
def checked(tmp_path, project, monkeypatch):
    """Return a checkout with one good certificate, of a trusted issuer."""
    monkeypatch.setenv("LETHE_HOME", str(tmp_path / "home"))
    (home() / "trusted").mkdir(parents=True)
    for key in GOLDEN.glob("*.pub"):
        shutil.copy(key, home() / "trusted")
    root = tmp_path / "project"
    shutil.copytree(project / ".git", root / ".git")
    for path in project.glob("*.yaml"):
        shutil.copy(path, root)
    (root / "evidence" / NAME).mkdir(parents=True)
    shutil.copy(GOLDEN / "certificate-digits.dsse.json", root / "evidence" / NAME / "certificate.dsse.json")
    return root


def test_a_certificate_whose_model_is_gone_is_not_called_verified(checked):
    code, out, err = lethe(checked, "verify", "--json")
    assert code == 2, err
    (told,) = json.loads(out)
    assert (told["request"], told["result"], told["compared"]) == (NAME, "not compared", "")
    assert "the registry: this checkout has none" in told["not_compared"]
    assert "the model: it is neither in this checkout nor in use" in told["not_compared"]


def test_a_certificate_without_its_policy_is_not_called_verified(checked):
    first = checked / "evidence" / "erase-2025-03"
    first.mkdir()
    shutil.copy(GOLDEN / "certificate-v1.dsse.json", first / "certificate.dsse.json")
    code, out, _ = lethe(checked, "verify", "--json")
    assert code == 7
    assert [told["result"] for told in json.loads(out)] == ["not compared", "not judged again"]


def test_a_certificate_in_another_requests_place_is_false(checked):
    shutil.copytree(checked / "evidence" / NAME, checked / "evidence" / "r-1")
    code, _, err = lethe(checked, "verify")
    assert code == 6
    assert f"r-1: the certificate is about request {NAME}" in err


def test_a_release_whose_certificate_is_gone_is_named(checked):
    (checked / "evidence" / "r-1").mkdir()
    (checked / "evidence" / "r-1" / "released.json").write_bytes(canonical_json({}))
    code, _, err = lethe(checked, "verify")
    assert code == 6
    assert "1 of 2 certificates and models are false" in err
    assert "r-1: the certificate is missing" in err


def test_an_altered_certificate_is_false_and_the_others_are_listed(checked):
    path = checked / "evidence" / NAME / "certificate.dsse.json"
    path.write_bytes(path.read_bytes()[:-3])
    code, _, err = lethe(checked, "verify")
    assert code == 6
    assert f"  {NAME}: " in err


@pytest.fixture
def root(tmp_path):
    """A checkout in which one request was served."""
    return served_checkout(tmp_path / "served")


@pytest.fixture
def store(root):
    """The folder of the champion in the artifact store."""
    tracking = tracking_of(Checkout(root))
    source = tracking.client.get_model_version("digits", "1").source
    logged = tracking.client.get_logged_model(source.removeprefix("models:/"))
    return Path(logged.artifact_location.removeprefix("file://"))


def told(root):
    code, out, err = lethe(root, "verify", "--json")
    return code, json.loads(out) if code in {0, 2} else err


def swap(root, folder):
    """Put the parent, which knows the forgotten data, in a model's place, with its card."""
    for name in (WEIGHTS, CARD):
        (place,) = folder.rglob(name)
        shutil.copy(Checkout(root).parent / name, place)


def test_every_place_of_the_certified_model_is_compared(root):
    code, (one,) = told(root)
    assert (code, one["result"], one["not_compared"]) == (0, "verified", "")
    assert one["compared"] == "models/unlearned; champion of 'digits' version 1"
    assert "compared: models/unlearned; champion of" in lethe(root, "verify")[1]


def test_a_model_that_was_replaced_in_the_artifact_store_is_false(root, store):
    swap(root, store)
    code, err = told(root)
    assert code == 6
    assert (
        "champion of 'digits' version 1: the weights of 'digits' version 1 in the artifact store are" in err
    )


def test_code_that_was_planted_in_the_artifact_store_is_false(root, store):
    (store / "code" / "numpy.py").write_text("")
    code, err = told(root)
    assert code == 6
    assert "another of its files in the artifact store was replaced, added or removed" in err


def test_a_model_that_was_replaced_in_the_checkout_with_its_card_is_false(root):
    checkout = Checkout(root)
    swap(root, checkout.unlearned)
    parent, certified = (read_checkpoint_card(checkout.parent).weights, champion_of(root).tags[Tag.WEIGHTS])
    code, err = told(root)
    assert code == 6
    assert f"models/unlearned: its model is {parent}, the certificate of demo is about {certified}" in err


def test_a_model_that_was_replaced_without_its_card_is_false(root):
    checkout = Checkout(root)
    shutil.copy(checkout.parent / WEIGHTS, checkout.unlearned / WEIGHTS)
    code, err = told(root)
    assert code == 6
    assert "the card beside them names" in err


def test_a_kept_model_that_was_replaced_is_told_by_its_folders_name(root):
    checkout = Checkout(root)
    kept = checkout.generation("models", file_digest(checkout.unlearned / WEIGHTS))
    shutil.copytree(checkout.unlearned, kept)
    assert told(root)[0] == 0
    swap(root, kept)
    code, err = told(root)
    assert code == 6
    assert f"models/generations/{kept.name} holds the weights sha256:" in err


def champion_of(root):
    return champion(tracking_of(Checkout(root)), "digits")


def test_a_model_that_is_gone_everywhere_is_not_compared(root, store):
    shutil.rmtree(store)
    assert told(root)[1][0]["compared"] == "models/unlearned"
    shutil.rmtree(Checkout(root).unlearned)
    code, (one,) = told(root)
    assert (code, one["result"], one["compared"]) == (2, "not compared", "")
    assert "the files of 'digits' version 1" in one["not_compared"]


def test_a_champion_that_no_certificate_is_about_is_told(root, store):
    """Whoever may move an alias can put a model in use that has forgotten nothing."""
    tracking, current = tracking_of(Checkout(root)), champion_of(root)
    kept = {name: current.tags[name] for name in (Tag.WEIGHTS, Tag.FILES)}
    swap(root, store)
    other = {**kept, Tag.WEIGHTS: read_checkpoint_card(Checkout(root).parent).weights}
    made = tracking.client.create_model_version(
        "digits", store.as_uri(), tags={Tag.WEIGHTS: other[Tag.WEIGHTS]}
    )
    promote(tracking, "digits", int(made.version))
    code, err = told(root)
    assert code == 6, "the one before it has another file than it was registered with"
    assert "previous of 'digits' version 1" in err
    promote_only(tracking, made.version)
    code, entries = told(root)
    assert code == 2
    assert entries[1]["request"] == "champion of 'digits' version 2"
    assert "no request was served on" in entries[1]["not_compared"]


def promote_only(tracking, version):
    tracking.client.delete_registered_model_alias("digits", "previous")
    tracking.client.set_registered_model_alias("digits", "champion", version)


def test_a_version_whose_tags_were_changed_with_its_files_contradicts_its_certificate(root, store):
    swap(root, store)
    weights = read_checkpoint_card(Checkout(root).parent).weights
    client = tracking_of(Checkout(root)).client
    client.set_model_version_tag("digits", "1", Tag.WEIGHTS, weights)
    client.delete_model_version_tag("digits", "1", Tag.FILES)
    code, err = told(root)
    assert code == 6
    assert f"champion of 'digits' version 1: its model is {weights}, the certificate of demo is about" in err
