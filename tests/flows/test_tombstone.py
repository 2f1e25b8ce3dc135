"""Tombstones of a served deletion: written before the model is in use, met by the next training."""

import json

import pytest
from templates import served_checkout
from world import NOISE, lethe

from tasks.checkout.checkout import Checkout
from tasks.checkout.files import read_record
from tasks.checkout.params import read_values, write_params
from tasks.data.datasets import read_card, read_manifest
from tasks.data.digits import Digits
from tasks.data.sources import source_of
from tasks.data.tombstones import refuse_forgotten
from unlearn_core.errors import ForgottenError
from unlearn_core.records.tombstone import Tombstones

pytestmark = [*NOISE, pytest.mark.long]


@pytest.fixture(scope="module")
def served(own_folders, tmp_path_factory):
    return served_checkout(tmp_path_factory.mktemp("buried") / "project")


def test_a_served_request_leaves_the_marks_of_what_left_the_data(served):
    checkout = Checkout(served)
    stone = read_record(checkout.tombstones("demo"), Tombstones)
    before, after = read_manifest(checkout.dataset), read_manifest(checkout.retained)
    assert len(stone.marks) == len(before) - len(after) > 100
    assert stone.data == read_card(checkout.dataset).rows_digest
    assert stone.retained == read_card(checkout.retained).rows_digest
    code, out, err = lethe(served, "tombstone", "list", "--json")
    assert (code, err) == (0, "")
    assert [(one["request"], one["pictures"]) for one in json.loads(out)] == [("demo", len(stone.marks))]


def test_the_same_data_serve_the_same_request_again_and_other_data_do_not_bring_it_back(copy):
    checkout = Checkout(copy)
    Digits().make(checkout, checkout.params.dataset)
    write_params(copy, {"dataset": {**read_values(copy)["dataset"], "seed": 1}})
    changed = Checkout(copy)
    with pytest.raises(ForgottenError, match="the same as what request"):
        source_of(changed.params.dataset).make(changed, changed.params.dataset)
    assert read_card(changed.dataset).rows_digest == read_card(checkout.dataset).rows_digest
    code, out, _ = lethe(copy, "tombstone", "keep", "--all", "--json")
    assert (code, json.loads(out)) == (0, {"kept": 0})
    code, out, _ = lethe(copy, "tombstone", "lift", "demo", "--json")
    assert (code, json.loads(out)) == (0, {"lifted": "demo"})
    refuse_forgotten(changed, lambda: pytest.fail("nothing is kept out any more"))
    code, out, _ = lethe(copy, "tombstone", "lift", "demo", "--json")
    assert code == 2
