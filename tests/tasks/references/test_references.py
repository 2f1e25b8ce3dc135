"""Retrained models and shadows: their names, their seeds, and which of them a request finds."""

import json

import pytest
import torch
from retraining import BRIEF, RUN, gate_reference, go_on, prepared, request_class, save_untrained

from tasks.checkout.checkout import short
from tasks.checkout.files import code_digest
from tasks.computing.checkpoints import WEIGHTS, read_checkpoint_card
from tasks.computing.execution import device_name
from tasks.computing.materials import read_split
from tasks.data.pool import Pool
from tasks.references.plan import plan_references
from tasks.references.retrained import describe_training, references_of, training_rows
from unlearn_core import data, models, training
from unlearn_core.errors import ConfigurationError, PipelineError
from unlearn_core.records.base import sha256
from unlearn_core.records.params import RunParams
from unlearn_core.seeds import derive_seed

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def origin(tmp_path_factory):
    return prepared(tmp_path_factory.mktemp("references") / "checkout")


@pytest.fixture
def checkout(tmp_path):
    return prepared(tmp_path / "checkout")


def planned(checkout, *, count, shadows=0, run=RUN):
    return plan_references(checkout, run, count=count, shadows=shadows)


def titled(plan, title):
    """Return the names of the models whose title begins so, in order."""
    return [name for name, wanted in plan.wanted.items() if wanted.title.startswith(title)]


def pretend(checkout, plan, *names):
    """Put nets that nobody trained where finished models would be."""
    for seed, name in enumerate(names):
        save_untrained(
            checkout.reference(name), plan.wanted[name].training.architecture, BRIEF, checkout, seed=seed
        )


def test_the_first_is_named_by_all_that_its_bits_depend_on(origin):
    parent = read_checkpoint_card(origin.parent)
    ingredients = {
        "data": read_split(origin).retained,
        "architecture": parent.architecture.model_dump(mode="json"),
        "recipe": BRIEF.model_dump(mode="json"),
        "normalisation": parent.normalisation.model_dump(mode="json"),
        "seed": derive_seed(RUN.seed, "reference"),
        "threads": RUN.threads,
        "code": code_digest(data, models, training),
        "torch": torch.__version__,
        "device": device_name(),
    }
    text = json.dumps(ingredients, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert list(planned(origin, count=1).wanted) == [short(sha256(text.encode()))]


def test_no_two_models_share_a_seed_but_those_of_a_pair(origin):
    plan = planned(origin, count=6, shadows=6)
    pairs = [
        [plan.wanted[name].training.seed for name in titled(plan, side)] for side in ("retrained", "shadow")
    ]
    assert pairs[0] == pairs[1]
    assert len({*pairs[0], derive_seed(RUN.seed, "parent")}) == 7


def test_another_base_seed_makes_other_models(origin):
    other = planned(origin, count=3, shadows=3, run=RunParams(seed=1, threads=1))
    assert set(planned(origin, count=3, shadows=3).wanted) & set(other.wanted) == set()


@pytest.mark.parametrize(
    ("count", "shadows", "retrained", "shadow"), [(1, 0, 1, 0), (3, 1, 3, 1), (2, 3, 3, 3)]
)
def test_a_retrained_model_is_one_side_of_a_pair_and_planned_once(origin, count, shadows, retrained, shadow):
    plan = planned(origin, count=count, shadows=shadows)
    assert len(titled(plan, "retrained")) == retrained
    assert len(titled(plan, "shadow")) == shadow
    assert set(plan.missing) == set(plan.wanted)


def test_more_models_leave_the_names_of_the_first_as_they_are(origin):
    few, many = planned(origin, count=2), planned(origin, count=4, shadows=2)
    assert set(few.wanted) < set(many.wanted)


def test_each_side_is_counted_with_the_rows_that_it_is_trained_on(origin):
    plan, pool = planned(origin, count=1, shadows=1), Pool(origin, CPU)
    for wanted in plan.wanted.values():
        assert wanted.rows == len(training_rows(origin, pool, wanted.training.data))
    assert len({wanted.rows for wanted in plan.wanted.values()}) == 2


def test_shadows_of_all_the_data_serve_every_request_on_it(checkout):
    first = planned(checkout, count=2, shadows=2)
    request_class(checkout, "5")
    second = planned(checkout, count=2, shadows=2)
    assert titled(first, "shadow") == titled(second, "shadow")
    assert set(titled(first, "retrained")) & set(titled(second, "retrained")) == set()


def test_retrained_models_are_the_next_requests_shadows_bit_for_bit(origin, tmp_path):
    later = go_on(origin, tmp_path / "next", forget="5")
    now, then = planned(origin, count=2, shadows=2), planned(later, count=2, shadows=2)
    assert titled(then, "shadow") == titled(now, "retrained")
    digest = read_split(origin).retained
    here, there = (training_rows(one, Pool(one, CPU), digest) for one in (origin, later))
    assert torch.equal(here.inputs, there.inputs)
    assert torch.equal(here.labels, there.labels)


def test_data_that_the_request_is_not_about_cannot_be_trained_on(origin):
    with pytest.raises(PipelineError, match="not sha256:00"):
        training_rows(origin, Pool(origin, CPU), "sha256:" + "0" * 64)


def test_finished_models_are_found_in_the_order_of_their_seeds_whatever_is_missing(checkout):
    plan = planned(checkout, count=4, shadows=4)
    retrained, shadows = titled(plan, "retrained"), titled(plan, "shadow")
    pretend(checkout, plan, retrained[3], retrained[1], shadows[1], shadows[2])
    found = references_of(checkout, RUN)
    assert [folder.name for folder in found.retrained] == [retrained[1], retrained[3]]
    assert [(pair.before.name, pair.without.name) for pair in found.pairs] == [(shadows[1], retrained[1])]
    assert set(planned(checkout, count=4).missing) == {retrained[0], retrained[2]}


def test_a_model_of_another_request_is_not_found(checkout):
    plan = planned(checkout, count=1)
    pretend(checkout, plan, *plan.wanted)
    request_class(checkout, "5")
    assert references_of(checkout, RUN).retrained == ()


def test_a_damaged_model_is_missing(checkout):
    plan = planned(checkout, count=1)
    pretend(checkout, plan, *plan.wanted)
    (checkout.reference(*plan.wanted) / WEIGHTS).write_bytes(b"half")
    assert references_of(checkout, RUN).retrained == ()
    assert planned(checkout, count=1).missing == tuple(plan.wanted)


def test_the_gate_finds_what_was_built_and_builds_it_no_more(checkout):
    plan = planned(checkout, count=1)
    assert gate_reference(checkout, RUN, "cached") is None
    pretend(checkout, plan, *plan.wanted)
    home = checkout.reference(*plan.wanted)
    assert gate_reference(checkout, RUN, "cached") == gate_reference(checkout, RUN, "build") == home


def test_what_the_gate_built_is_not_built_again(checkout):
    built = gate_reference(checkout, RUN, "build")
    assert built is not None
    assert built.is_relative_to(checkout.lethe)
    assert references_of(checkout, RUN).retrained == (built,)
    assert planned(checkout, count=1).missing == ()


def test_without_a_recipe_there_is_nothing_to_find_and_nothing_can_be_planned(tmp_path):
    checkout = prepared(tmp_path / "adopted", recipe=None)
    assert references_of(checkout, RUN).retrained == ()
    with pytest.raises(ConfigurationError, match="adopt the model with its --recipe"):
        planned(checkout, count=1)


def test_a_training_names_the_data_and_the_threads(origin):
    parent = read_checkpoint_card(origin.parent)
    digest = read_split(origin).retained
    one, two = (
        describe_training(parent, BRIEF, RunParams(threads=threads), data_digest=digest, index=0)
        for threads in (1, 2)
    )
    assert one.digest != two.digest
