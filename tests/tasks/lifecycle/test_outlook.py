"""What an adopted model can get is told by the policy's own ladder, with and without a recipe."""

import shutil

import pytest
from world import ROOT

from tasks.checkout.checkout import Checkout
from tasks.checkout.params import set_values
from tasks.lifecycle.outlook import outlook, outlook_lines, recipe_fields
from unlearn_core.records.artifact import Recipe

NET = "torchvision:resnet18"


@pytest.fixture
def checkout(tmp_path):
    shutil.copy(ROOT / "params.yaml", tmp_path)
    return Checkout(tmp_path)


def changed(checkout, *keys, value):
    set_values(checkout.root, {keys: value})
    return Checkout(checkout.root)


def test_without_a_recipe_what_trains_from_scratch_is_left_out(checkout):
    ladder, found = checkout.params.policy.ladder, outlook(checkout, NET, None)
    assert set(ladder.classes) - set(found.classes) == {"unsir_fresh_top", "retrain"}
    assert set(ladder.samples) - set(found.samples) == {"retrain"}
    assert found.level == "E0"


def test_with_a_recipe_all_of_the_ladder_serves_and_there_is_a_model_to_compare_with(checkout):
    ladder, found = checkout.params.policy.ladder, outlook(checkout, NET, Recipe())
    assert (found.classes, found.samples, found.level) == (ladder.classes, ladder.samples, "E1")


@pytest.mark.parametrize(("references", "reference", "level"), [(5, "build", "E2"), (5, "none", "E0")])
def test_the_level_is_that_of_the_policy(checkout, references, reference, level):
    checkout = changed(checkout, "policy", "references", value=references)
    assert outlook(changed(checkout, "policy", "reference", value=reference), NET, Recipe()).level == level


def test_requests_that_no_method_serves_are_told(checkout):
    checkout = changed(checkout, "policy", "ladder", "samples", value=["svd", "retrain"])
    found = outlook(checkout, NET, None)
    said = "\n".join(outlook_lines(found, None))
    assert found.samples == ()
    assert "images, a person no method: every such request will be refused" in said
    assert "E0, behaviour only, no retrained model" in said


def test_the_fields_of_a_recipe_are_offered_where_there_is_none(checkout):
    assert recipe_fields()[:2] == ["optimizer: adamw  # or sgd", "learning_rate: 0.01"]
    assert len(recipe_fields()) == len(Recipe.model_fields)
    without = outlook_lines(outlook(checkout, NET, None), None)
    with_one = outlook_lines(outlook(checkout, NET, Recipe()), Recipe())
    assert [line for line in without if "batch_size: 64" in line]
    assert not [line for line in with_one if "recipe" in line]
