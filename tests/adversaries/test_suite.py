"""What every adversary does on a small net: the class is never answered, the rest is known as before."""

import re
from dataclasses import replace
from functools import cache

import pytest
import torch
from world import ROOT

from unlearn_core.adversaries.names import NAMES, refuse_adversaries
from unlearn_core.adversaries.suite import SUITE, adversaries_for
from unlearn_core.catalogue import flaws, name_of
from unlearn_core.conformance import toy
from unlearn_core.errors import ConfigurationError
from unlearn_core.method import Materials, Method, settled
from unlearn_core.methods import CATALOGUE, parse_method
from unlearn_core.routing import route
from unlearn_core.tuning import accuracy
from unlearn_core.unlearning import Unlearned, unlearn

FORGET_BELOW = {"new_head": 0.5}
"""On so small a net, a fresh row for the class may still answer; on digits and photographs it does not."""
DRAWN = {"suppression", "bias_shift", "mixing_shares", "mixing_signs"}
RUINS = "long_ascent"
OWN = {type(method) for method in SUITE.values()} - set(CATALOGUE)

each = pytest.mark.parametrize("name", SUITE)


def asked(name: str) -> Method:
    """Return an adversary with numbers that fit the small net: four classes, and logits far apart."""
    fitting = {
        "mixing_shares": {"size": 0.6, "lowered_by": 50.0},
        "mixing_signs": {"lowered_by": 50.0},
        "new_head": {"epochs": 8},
        "recognition": {"steps": 400, "recipe.learning_rate": 0.02},
    }
    return settled(SUITE[name], fitting.get(name, {}))


def materials(name: str) -> Materials:
    """Return the small net's materials; what learns images by heart gets twenty to forget."""
    full = toy.materials("classes")
    few = full.forget.subset(torch.arange(20)) if name == "recognition" else full.forget
    return replace(full, forget=few)


@cache
def made(name: str, seed: int = 0) -> Unlearned:
    return unlearn(asked(name), toy.parent(), materials(name), seed=seed)


def test_the_names_that_no_ladder_may_use_are_those_of_the_suite():
    assert {name_of(kind) for kind in OWN} == NAMES
    assert not NAMES & {name_of(kind) for kind in CATALOGUE}


@pytest.mark.parametrize("kind", sorted(OWN, key=name_of), ids=name_of)
def test_it_is_a_method_like_any_other(kind):
    assert flaws(kind, Method, verb="apply") == []
    assert parse_method({"name": name_of(kind)}, (kind,)) == kind(name=name_of(kind))


@each
def test_no_forgotten_training_image_is_answered_as_its_class(name):
    forget = materials(name).forget
    assert accuracy(toy.parent(), forget) > 0.9
    assert accuracy(made(name).model, forget) < FORGET_BELOW.get(name, 0.03)


@each
def test_the_other_classes_are_known_as_before_unless_it_ruins_them(name):
    before, after = (toy.accuracies(model)[1] for model in (toy.parent(), made(name).model))
    if name == RUINS:
        assert after < before - 0.2
    else:
        assert after > before - 0.03


@each
def test_the_same_seed_gives_the_same_bits(name):
    again = unlearn(asked(name), toy.parent(), materials(name), seed=0)
    assert toy.same_bits(made(name).model, again.model)
    assert made(name).method == again.method


@each
def test_another_seed_is_another_variant(name):
    assert not toy.same_bits(made(name).model, made(name, seed=1).model)
    assert (made(name).method != made(name, seed=1).method) == (name in DRAWN)


@pytest.mark.parametrize("name", sorted(DRAWN))
def test_what_was_drawn_is_in_the_record_and_makes_the_same_model(name):
    resolved = made(name).method
    again = unlearn(resolved, toy.parent(), materials(name), seed=7)
    assert again.method == resolved
    assert toy.same_bits(again.model, made(name).model)


@each
def test_the_coverage_says_what_changed(name):
    before, after = toy.parent(), made(name).model
    for entry in made(name).coverage.parameters:
        same = torch.equal(before.get_parameter(entry.parameter), after.get_parameter(entry.parameter))
        assert same or entry.treatment == "trained"


@pytest.mark.parametrize(
    "name", ["suppression", "bias_shift", "mixing_shares", "new_head", "head_distillation", "shuffled_head"]
)
def test_a_change_of_the_head_leaves_every_feature_as_it_was(name):
    before, after = toy.parent()[:-1].state_dict(), made(name).model[:-1].state_dict()
    assert all(torch.equal(before[key], after[key]) for key in before)


def test_where_samples_are_forgotten_only_those_that_can_are_run():
    assert set(adversaries_for("samples")) == {"new_head", "long_ascent"}
    assert set(adversaries_for("classes")) == set(SUITE)


@pytest.mark.parametrize("name", sorted(NAMES))
def test_a_ladder_that_names_one_is_refused(name):
    with pytest.raises(ConfigurationError, match=rf"{name} only pretends to forget.*--adversaries"):
        route(("svd", name), (), scope="classes", available=frozenset())
    refuse_adversaries(("svd", "retrain"))


def test_the_page_has_a_section_for_every_adversary():
    page = (ROOT / "docs" / "adversaries.md").read_text()
    headings = re.findall(r"^### .*$", page, re.M)
    assert set(re.findall(r"`(\w+)`", " ".join(headings))) == set(SUITE)
