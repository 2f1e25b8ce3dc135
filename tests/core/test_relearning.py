"""Relearning teaches a copy, the same way every time, and stops where it was told to."""

import copy

import pytest
import torch
from torch import nn
from world import accuracy, blobs, same_weights

from unlearn_core.data import Samples, concatenate
from unlearn_core.errors import UsageError
from unlearn_core.fresh_head import with_new_head
from unlearn_core.relearning import RelearnTerms, relearn, relearn_with_new_head

TERMS = RelearnTerms(steps=300, samples=20, batch_size=8, learning_rate=0.02)


def net():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Flatten(), nn.Linear(64, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.5), nn.Linear(16, 3)
    ).eval()


def trained(samples: Samples) -> nn.Module:
    model = net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(60):
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(samples.inputs), samples.labels).backward()
        optimizer.step()
    return model


def suppressed(model: nn.Module) -> nn.Module:
    """Push the logit of class 2 down in the head, and leave all features as they are."""
    edited = copy.deepcopy(model)
    with torch.no_grad():
        edited[-1].bias[2] -= 6.0
    return edited


@pytest.fixture(scope="module")
def forgotten():
    return blobs().of_classes((2,))


@pytest.fixture(scope="module")
def original():
    return trained(blobs())


@pytest.fixture(scope="module")
def retrained():
    return trained(blobs().of_classes((2,), exclude=True))


def arrival(model, forgotten, **settings):
    terms = TERMS.model_copy(update=settings)
    return relearn(model, forgotten, until=0.95, terms=terms, seed=3).arrival(0.95)


def test_model_that_remembers_needs_no_step(original, forgotten):
    found = relearn(original, forgotten, until=0.95, terms=TERMS, seed=3)
    assert found.steps == (0,)
    assert found.arrival(0.95) == 0


def test_class_suppressed_in_the_head_alone_comes_back_faster_than_to_a_retrained_model(
    original, retrained, forgotten
):
    assert 0 < arrival(suppressed(original), forgotten) < arrival(retrained, forgotten)


def test_model_that_does_not_arrive_is_looked_at_at_the_limit(retrained, forgotten):
    found = relearn(retrained, forgotten, until=0.95, terms=TERMS.model_copy(update={"steps": 2}), seed=3)
    assert found.steps == (0, 1, 2)
    assert found.limit == 2
    assert found.arrival(0.95) is None


def test_looks_are_few_and_ascend(retrained, forgotten):
    found = relearn(retrained, forgotten, until=2.0, terms=TERMS, seed=3)
    assert found.steps[:12] == (*range(12),)
    assert found.steps[-1] == 300
    assert sorted(set(found.steps)) == list(found.steps)
    assert len(found.steps) < 60


@pytest.mark.parametrize("stride", [2, 4, 500])
def test_striding_over_looks_finds_the_same_arrival_with_fewer(retrained, original, forgotten, stride):
    for model in (retrained, suppressed(original)):
        found, strided = (
            relearn(model, forgotten, until=0.95, terms=TERMS.model_copy(update={"stride": n}), seed=3)
            for n in (1, stride)
        )
        assert strided.arrival(0.95) == found.arrival(0.95) > 0
        assert strided.steps[-1] == found.steps[-1]
        points = dict(zip(found.steps, found.accuracy, strict=True))
        assert dict(zip(strided.steps, strided.accuracy, strict=True)).items() <= points.items()


def test_a_stride_looks_less_at_a_model_that_does_not_arrive(retrained, forgotten):
    terms = TERMS.model_copy(update={"steps": 50, "stride": 4})
    found = relearn(retrained, forgotten, until=2.0, terms=terms, seed=3)
    assert found.steps == (0, 4, 8, 12, 16, 20, 28, 39, 50)


def test_terms_without_a_stride_are_named_as_before():
    assert "stride" not in TERMS.model_dump(mode="json")


def test_no_more_samples_are_taught_than_stated(retrained, forgotten):
    assert relearn(retrained, forgotten, until=0.0, terms=TERMS, seed=3).samples == 20


def test_model_is_left_as_found_and_frozen_weights_are_taught_too(retrained, forgotten):
    model = copy.deepcopy(retrained).requires_grad_(False)
    model[2].train()
    before, state = copy.deepcopy(model), torch.get_rng_state()
    found = relearn(model, forgotten, until=0.95, terms=TERMS, seed=3)
    assert found.arrival(0.95) == arrival(retrained, forgotten)
    assert same_weights(model, before)
    assert [module.training for module in model.modules()] == [module.training for module in before.modules()]
    assert not any(parameter.requires_grad for parameter in model.parameters())
    assert torch.equal(torch.get_rng_state(), state)


def test_same_seed_gives_the_same_curve_and_another_seed_another(retrained, forgotten):
    first, again, other = (
        relearn(retrained, forgotten, until=2.0, terms=TERMS.model_copy(update={"steps": 40}), seed=seed)
        for seed in (1, 1, 2)
    )
    assert first == again
    assert first != other


def test_a_single_sample_can_be_taught(retrained, forgotten):
    assert arrival(retrained, forgotten.subset(torch.tensor([0]))) is not None


def test_nothing_forgotten_is_refused(retrained, forgotten):
    with pytest.raises(UsageError, match="nothing forgotten"):
        relearn(
            retrained, forgotten.subset(torch.tensor([], dtype=torch.int64)), until=1, terms=TERMS, seed=0
        )


NEW = RelearnTerms(steps=80, samples=24, batch_size=16, learning_rate=0.01)


@pytest.fixture(scope="module")
def kept():
    return blobs().of_classes((2,), exclude=True)


@pytest.fixture(scope="module")
def held_out():
    return blobs(seed=1).of_classes((2,))


def test_with_the_same_new_head_untouched_features_relearn_as_the_original_and_a_retrained_model_later(
    original, retrained, forgotten, kept, held_out
):
    """Taught as they are, the suppressed model is behind the original, which needs no step."""
    curves = [
        relearn_with_new_head(model, forgotten, kept, held_out, until=0.5, terms=NEW, seed=3)
        for model in (original, suppressed(original), retrained)
    ]
    assert curves[0] == curves[1]
    assert curves[0].accuracy[0] == 0
    assert 0 < curves[0].arrival(0.5) < curves[2].arrival(0.5)


def test_steps_with_a_new_head_are_those_of_the_obvious_loop(original, forgotten, kept, held_out):
    """Where one batch holds all samples, a step is plain descent on all of them."""
    terms = RelearnTerms(steps=8, samples=32, batch_size=64, learning_rate=0.05)
    few = kept.subset(torch.arange(32))
    found = relearn_with_new_head(original, forgotten, few, held_out, until=2.0, terms=terms, seed=3)
    pupil = with_new_head(original, few, batch_size=64)
    optimizer = torch.optim.SGD(pupil.parameters(), lr=0.05)
    taught = concatenate(forgotten, few)
    expected = [accuracy(pupil, held_out)]
    for _ in range(8):
        optimizer.zero_grad()
        nn.functional.cross_entropy(pupil(taught.inputs), taught.labels).backward()
        optimizer.step()
        expected.append(accuracy(pupil, held_out))
    assert found.accuracy == pytest.approx(expected, abs=1e-6)
    assert max(expected) > min(expected)


@pytest.mark.parametrize("absent", range(3))
def test_nothing_of_a_kind_to_teach_with_a_new_head_is_refused(retrained, forgotten, kept, held_out, absent):
    given = [forgotten, kept, held_out]
    given[absent] = given[absent].subset(torch.tensor([], dtype=torch.int64))
    with pytest.raises(UsageError, match="pass at least one of each"):
        relearn_with_new_head(retrained, *given, until=1, terms=NEW, seed=0)
