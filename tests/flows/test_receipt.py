"""A receipt from a served deletion: made by the operator, checked by the person, about nobody else."""

import json
import shutil

import numpy as np
import pytest
from templates import served_checkout
from world import NOISE, lethe

from flows.cli.lethe_verify import main
from tasks.checkout.checkout import Checkout
from tasks.data.datasets import read_card, read_manifest
from tasks.keys.folder import home
from tasks.keys.ring import rotate_pseudonym_key, shred_pseudonym_keys
from unlearn_core.records.receipt import Receipt

pytestmark = [*NOISE, pytest.mark.long]


@pytest.fixture(scope="module")
def served(own_folders, tmp_path_factory):
    return served_checkout(tmp_path_factory.mktemp("receipts") / "project")


@pytest.fixture
def rows(served):
    """The rows that the demonstration forgot, the digit 3, and one person among them."""
    manifest = read_manifest(Checkout(served).dataset)
    forgotten = np.flatnonzero((manifest.labels == 3) & (manifest.splits == "train"))
    person = str(manifest.subject_ids[forgotten[0]])
    own = [str(manifest.sample_ids[row]) for row in forgotten if manifest.subject_ids[row] == person]
    return manifest, person, own


def receipt_of(root, *arguments, to):
    return lethe(root, "receipt", "demo", *arguments, "-o", str(to), "--json")


def checked(root, receipt):
    return main([str(Checkout(root).certificate("demo")), "--receipt", str(receipt), "--json"])


def test_a_person_gets_what_shows_that_they_were_in_and_are_out(served, rows, tmp_path, capsys):
    manifest, person, own = rows
    code, out, err = receipt_of(served, "--subject", person, to=tmp_path / "r.json")
    assert (code, err) == (0, "")
    assert json.loads(out)["records"] == len(own)
    assert checked(served, tmp_path / "r.json") == 0
    told = json.loads(capsys.readouterr().out)
    assert sorted(row["sample"] for row in told["receipt"]) == sorted(own)
    written = (tmp_path / "r.json").read_text()
    others = set(manifest.sample_ids.tolist()) - set(own)
    assert [one for one in (*others, *manifest.subject_ids) if one and f'"{one}"' in written] == []
    certificate = Checkout(served).certificate("demo").read_text()
    assert person not in certificate


def test_a_receipt_can_be_made_after_the_pseudonym_key_was_rotated_and_not_without_it(
    served, rows, tmp_path, monkeypatch
):
    _, person, _ = rows
    shutil.copytree(home(), tmp_path / "keys")
    monkeypatch.setenv("LETHE_HOME", str(tmp_path / "keys"))
    rotate_pseudonym_key()
    assert receipt_of(served, "--subject", person, to=tmp_path / "r.json")[0] == 0
    assert checked(served, tmp_path / "r.json") == 0
    shred_pseudonym_keys(only_retired=True, really=True)
    code, out, _ = receipt_of(served, "--subject", person, to=tmp_path / "r.json")
    assert code == 2
    assert "the pseudonym key that it was made with is not here" in json.loads(out)["reason"]


def test_a_receipt_that_was_altered_is_false(served, rows, tmp_path, capsys):
    _, _, own = rows
    receipt_of(served, "--sample", own[0], to=tmp_path / "r.json")
    altered = (tmp_path / "r.json").read_text().replace(own[0], "digit-9999")
    (tmp_path / "r.json").write_text(altered)
    assert checked(served, tmp_path / "r.json") == 6
    assert "it was not in" in json.loads(capsys.readouterr().out)["reason"]


def test_who_is_still_in_gets_none_and_nothing_is_written(served, rows, tmp_path):
    manifest, _, _ = rows
    retained = str(manifest.sample_ids[(manifest.labels == 5) & (manifest.splits == "train")][0])
    for arguments, reason in (
        (("--sample", retained), "nothing of what is named was trained on and forgotten"),
        (("--sample", "digit-9999"), "unknown sample"),
        ((), "a receipt is for one; name the person"),
    ):
        code, out, _ = receipt_of(served, *arguments, to=tmp_path / "none.json")
        assert code == 2
        assert reason in json.loads(out)["reason"]
    assert list(tmp_path.glob("none*")) == []


def test_a_receipt_is_the_same_again_as_long_as_the_data_are_here(copy, rows, tmp_path):
    _, person, own = rows
    receipt_of(copy, "--subject", person, to=tmp_path / "first.json")
    checkout = Checkout(copy)
    kept = checkout.generation("data", read_card(checkout.retained).rows_digest)
    kept.parent.mkdir(parents=True)
    checkout.retained.rename(kept)
    receipt_of(copy, "--subject", person, to=tmp_path / "again.json")
    assert (tmp_path / "again.json").read_bytes() == (tmp_path / "first.json").read_bytes()
    assert len(Receipt.parse((tmp_path / "first.json").read_text()).rows) == len(own)
    (checkout.dataset / "card.json").unlink()
    code, out, _ = receipt_of(copy, "--subject", person, to=tmp_path / "none.json")
    assert (code, "is not here" in json.loads(out)["reason"]) == (2, True)
