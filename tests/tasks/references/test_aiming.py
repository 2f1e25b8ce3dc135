"""What searches aim at: a pinned retrained model that is none of the judges, and nothing else."""

import pytest
import torch
from retraining import BRIEF, RUN, prepared, save_untrained

from tasks.computing.checkpoints import load_checkpoint, read_checkpoint_card
from tasks.computing.materials import forget_mask, read_split, tuning_data
from tasks.data.pool import Pool
from tasks.measuring.tuning_pool import TuningPool
from tasks.references.aiming import find_aim
from tasks.references.plan import plan_references
from unlearn_core.tuning import accuracy, confidence

CPU = torch.device("cpu")


@pytest.fixture
def checkout(tmp_path):
    return prepared(tmp_path / "checkout")


def pin(checkout, *places):
    """Put nets that nobody trained where finished retrained models would be; return their names."""
    plan = plan_references(checkout, RUN, count=4, shadows=0)
    names = list(plan.wanted)
    for place in places:
        net = plan.wanted[names[place]].training.architecture
        save_untrained(checkout.reference(names[place]), net, BRIEF, checkout, seed=place + 1)
    return names


def policy(checkout, **changes):
    return checkout.params.policy.model_copy(update=changes)


def test_without_a_model_beside_the_judges_there_is_no_aim(checkout):
    assert find_aim(checkout, RUN, policy(checkout)) is None
    pin(checkout, 0)
    assert find_aim(checkout, RUN, policy(checkout)) is None


@pytest.mark.parametrize(("changes", "place"), [({}, 1), ({"references": 2}, 3), ({"shadows": 6}, None)])
def test_first_pinned_model_that_does_not_judge_is_aimed_at(checkout, changes, place):
    names = pin(checkout, 0, 1, 3)
    found = find_aim(checkout, RUN, policy(checkout, **changes))
    if place is None:
        assert found is None
    else:
        assert found.reference == read_checkpoint_card(checkout.reference(names[place])).weights


def test_model_that_is_only_cached_is_not_aimed_at(checkout):
    names = pin(checkout, 1)
    cached = checkout.lethe / "references" / names[1]
    cached.parent.mkdir(parents=True)
    checkout.reference(names[1]).rename(cached)
    assert find_aim(checkout, RUN, policy(checkout)) is None


def test_targets_are_the_models_numbers_on_tuning_and_forgotten_data(checkout):
    names = pin(checkout, 1)
    found = {(one.quantity, one.side): one for one in find_aim(checkout, RUN, policy(checkout)).targets}
    model = load_checkpoint(checkout.reference(names[1]))[0]
    split, pool = read_split(checkout), Pool(checkout, CPU)
    tuning, forget = tuning_data(split, pool), pool.take(forget_mask(split, len(pool.manifest)))
    assert found["accuracy", "retain"].value == pytest.approx(accuracy(model, tuning.retain))
    parts = [(confidence(model, part), len(part)) for part in (forget, tuning.forget)]
    mean = sum(value * count for value, count in parts) / sum(count for _, count in parts)
    assert found["confidence", "forget"].value == pytest.approx(mean, abs=1e-6)
    assert found["accuracy", "retain"].below == 0.03


def test_neither_audit_nor_test_rows_are_read(checkout):
    pin(checkout, 1)
    found = find_aim(checkout, RUN, policy(checkout), pool=TuningPool(checkout, CPU))
    assert found == find_aim(checkout, RUN, policy(checkout))
