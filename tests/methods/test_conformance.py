"""What every method in the catalogue must do. A method is tested by being listed."""

import re
from functools import cache
from typing import Any

import pytest

from tasks.report.vocabulary import curve_words
from unlearn_core.catalogue import name_of
from unlearn_core.conformance import toy
from unlearn_core.conformance.case import Case
from unlearn_core.conformance.checking import Check
from unlearn_core.conformance.methods import OF_KIND, SCOPES, checks_in
from unlearn_core.kinds import ScopeKind
from unlearn_core.method import Method
from unlearn_core.methods import CATALOGUE, parse_method

BASELINES = {"finetune", "cf_k", "repair"}
"""Methods that are in the catalogue to be compared with: of a class as clear as these they forget nothing."""
FORGET_BELOW = {"bad_teacher": 1 / toy.CLASSES, **dict.fromkeys(BASELINES, 1.1)}
"""What imitates an untrained net is right about a forgotten class as often as that: by chance."""
SGD = {"optimizer": "sgd", "schedule": "constant", "weight_decay": 0.0, "batch_size": 64}
ADAM = {**SGD, "optimizer": "adamw"}
SETTINGS: dict[str, dict[str, Any]] = {
    "scrub": {
        "recipe": {**SGD, "momentum": 0.0, "learning_rate": 0.02, "epochs": 3},
        "forget_batch_size": 200,
    },
    "ssd": {"alpha": 1.1, "dampening": 0.1},
    "salun": {"recipe": {**SGD, "learning_rate": 0.02, "epochs": 4}},
    "bad_teacher": {"recipe": {**ADAM, "learning_rate": 0.005, "epochs": 4}},
    "neg_grad_plus": {"alpha": 0.99, "recipe": {**ADAM, "learning_rate": 0.003, "epochs": 4}},
    "gradient_ascent": {"recipe": {**ADAM, "learning_rate": 0.001, "epochs": 4}},
    "random_labels": {"recipe": {**ADAM, "learning_rate": 0.01, "epochs": 4}},
    "trew": {"recipe": {**ADAM, "learning_rate": 0.003, "epochs": 4}},
    "msg": {"recipe": {**SGD, "learning_rate": 0.02, "epochs": 4}},
    "delete_distill": {"recipe": {**ADAM, "learning_rate": 0.003, "epochs": 4}},
    "cf_k": {"recipe": {**SGD, "learning_rate": 0.05, "epochs": 2}},
    "repair": {"epochs": 1},
    "rewind": {"to": 0.02},  # half a training on the others does not make such a net forget a class
}
"""Step sizes belong to the net: fitting ones, where the published do nothing to this one or take long."""
SAMPLES_SETTINGS: dict[str, dict[str, Any]] = {
    "ssd": {"alpha": 0.5, "dampening": 0.5},
    "gradient_ascent": {"recipe": {**ADAM, "learning_rate": 0.001, "epochs": 1}},
}
"""Those of methods that need others to forget samples like all the rest."""

each_method = pytest.mark.parametrize("kind", CATALOGUE, ids=name_of)


def named(value: Any) -> str:
    return value if isinstance(value, str) else getattr(value, "__name__", str(value))


@cache
def case(kind: type[Method], scope: ScopeKind) -> Case:
    """Run a method once; tests share the outcome, and none changes it."""
    name = name_of(kind)
    others = SAMPLES_SETTINGS if scope == "samples" else {}
    settings = {**SETTINGS.get(name, {}), **others.get(name, {})}
    return Case(kind, scope, settings, FORGET_BELOW.get(name, 0.05))


def test_names_are_unique() -> None:
    assert len({name_of(kind) for kind in CATALOGUE}) == len(CATALOGUE)


@each_method
def test_it_is_read_by_its_name(kind: type[Method]) -> None:
    assert type(parse_method({"name": name_of(kind)})) is kind


@each_method
def test_the_docstring_names_the_paper(kind: type[Method]) -> None:
    assert re.search(r"arXiv\s+\d{4}\.\d{4,5}", kind.__doc__ or "")


def test_the_small_net_knows_the_class_that_is_to_be_forgotten() -> None:
    assert toy.accuracies(toy.parent())[0] > 0.9


@each_method
@pytest.mark.parametrize("check", OF_KIND, ids=named)
def test_it(kind: type[Method], check: Check) -> None:
    assert list(check(kind)) == []


@pytest.mark.parametrize(
    ("kind", "scope", "check"),
    [
        (kind, scope, check)
        for kind in CATALOGUE
        for scope in SCOPES
        if scope in kind.scopes
        for check in checks_in(scope)
    ],
    ids=named,
)
def test_in_its_scopes_it(kind: type[Method], scope: ScopeKind, check: Check) -> None:
    assert list(check(case(kind, scope))) == []


@each_method
def test_what_it_records_step_by_step_has_plain_words(kind: type[Method]) -> None:
    curves = {curve.name for scope in kind.scopes for curve in case(kind, scope).outcome().curves}
    assert {name: unknown for name in curves if (unknown := curve_words(name)[1])} == {}
