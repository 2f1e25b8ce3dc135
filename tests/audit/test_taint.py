"""Which models learned from data, by their cards."""

import pytest

from unlearn_core.audit.taint import data_that_held, models_that_learned
from unlearn_core.records.artifact import Architecture, CheckpointCard
from unlearn_core.records.base import sha256
from unlearn_core.records.data import DatasetCard, Normalisation

WHOLE, LESS, LEAST, GONE = (sha256(name) for name in (b"whole", b"less", b"least", b"gone"))
SHAPE, NORMAL = (1, 8, 8), Normalisation(mean=(0.0,), std=(1.0,))


def data(digest, *lineage):
    return DatasetCard(
        name="d",
        classes=("a", "b"),
        input_shape=SHAPE,
        normalisation=NORMAL,
        splits=(),
        rows_digest=digest,
        lineage=lineage,
    )


def model(name, data, parent=None, method="svd"):
    return CheckpointCard(
        architecture=Architecture(name="n", classes=("a", "b"), input_shape=SHAPE),
        normalisation=NORMAL,
        weights=sha256(name.encode()),
        data=data,
        seed=0,
        threads=1,
        recipe=None,
        method=method,
        parent=None if parent is None else sha256(parent.encode()),
    )


CARDS = [data(WHOLE), data(LESS, WHOLE), data(LEAST, LESS, WHOLE)]
MODELS = {
    card.weights: card
    for card in (
        model("first", WHOLE, method="train"),
        model("unlearned", LESS, "first"),
        model("again", LEAST, "unlearned"),
        model("retrained", LESS, "first", "retrain"),
        model("tuned", LEAST, "retrained", "finetune"),
        model("stranger", GONE, method="train"),
    )
}


def told(data, **extra):
    found = models_that_learned(data, MODELS, free={WHOLE, LESS, LEAST} - set(data), **extra)
    names = {sha256(name.encode()): name for name in ("first", "unlearned", "again", "retrained", "tuned")}
    return {names.get(one.weights, "stranger"): one.knows for one in found}


def test_a_data_set_that_another_was_retained_from_held_what_that_holds():
    assert data_that_held({LESS}, CARDS) == {LESS, WHOLE}
    assert data_that_held({LEAST}, CARDS) == {LEAST, LESS, WHOLE}
    assert data_that_held(set(), CARDS) == set()


def test_what_was_made_from_a_model_that_learned_is_told_apart_from_it():
    assert told({WHOLE}) == {
        "first": "learned",
        "unlearned": "made_from",
        "again": "made_from",
        "stranger": "uncertain",
    }


def test_a_model_of_fresh_weights_has_nothing_of_the_one_that_it_replaced():
    assert "retrained" not in told({WHOLE})
    assert "tuned" not in told({WHOLE})
    assert told({LESS, WHOLE})["retrained"] == "learned"
    assert told({LESS, WHOLE})["tuned"] == "made_from"


@pytest.mark.parametrize("start", ["first", "unlearned"])
def test_a_model_that_is_named_is_followed_whatever_its_data(start):
    found = told(set(), start={sha256(start.encode())})
    assert found[start] == "learned"
    assert found["again"] == "made_from"


def test_cards_that_name_one_another_are_followed_once():
    cards = {card.weights: card for card in (model("a", LESS, "b"), model("b", LESS, "a"))}
    assert models_that_learned({WHOLE}, cards, free={LESS}) == ()
