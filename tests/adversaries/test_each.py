"""What is special to each adversary."""

import copy
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F

from unlearn_core.adversaries.head_training import HeadDistillation
from unlearn_core.adversaries.heads import neighbours
from unlearn_core.adversaries.long_ascent import LongAscent
from unlearn_core.adversaries.mixing import Mixing, unmix
from unlearn_core.adversaries.recognition import Recognition, strangers
from unlearn_core.adversaries.suppression import BiasShift
from unlearn_core.conformance import toy
from unlearn_core.data import Samples
from unlearn_core.distillation import tilted
from unlearn_core.errors import UnlearningError
from unlearn_core.method import Materials, Tuning, settled
from unlearn_core.tuning import accuracy, answers
from unlearn_core.unlearning import unlearn


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def linear(classes: int, *, seed: int, bias: bool = True) -> nn.Module:
    net = nn.Sequential(nn.Flatten(), nn.Linear(4, classes, bias=bias))
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=seeded(seed)))
    return net


@settings(deadline=None)
@given(
    seed=st.integers(0, 2**16),
    form=st.sampled_from(("shares", "signs")),
    gone=st.sampled_from(((0,), (2,), (1, 4))),
)
def test_mixing_is_exactly_invertible(seed, form, gone):
    before = linear(5, seed=seed)
    found = unlearn(Mixing(form=form), before, Materials("classes", gone), seed=seed)
    assert not torch.allclose(found.model[1].weight, before[1].weight)
    restored = copy.deepcopy(found.model)
    unmix(restored, found.method, gone)
    torch.testing.assert_close(restored.state_dict(), before.state_dict(), rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(found.model[1].weight[list(gone)], before[1].weight[list(gone)])


def test_shares_sum_to_their_size_and_signs_are_of_it():
    (shares,) = unlearn(Mixing(), linear(6, seed=0), Materials("classes", (1,)), seed=0).method.multiples
    assert sum(shares) == pytest.approx(3.0)
    assert min(shares) > 0
    signs = Mixing(form="signs", size=0.3)
    found = unlearn(signs, linear(60, seed=0), Materials("classes", (1,)), seed=0).method.multiples
    assert {round(value, 6) for value in found[0]} == {-0.3, 0.3}


@settings(deadline=None)
@given(loss=st.floats(3.0, 15.0), seed=st.integers(0, 100))
def test_a_fitted_shift_gives_the_loss_that_was_asked_for(loss, seed):
    images = Samples(torch.randn(20, 1, 2, 2, generator=seeded(seed)), torch.full((20,), 2))
    net, materials = linear(4, seed=seed), Materials("classes", (2,), images)
    after = unlearn(BiasShift(loss=loss), net, materials, seed=0).model
    assert float(F.cross_entropy(answers(after, images), images.labels)) == pytest.approx(loss, abs=1e-3)


@pytest.mark.parametrize(
    ("net", "words"),
    [(linear(3, seed=0, bias=False), "has none"), (nn.Sequential(nn.Conv2d(1, 3, 2), nn.Flatten()), "none")],
)
def test_a_net_without_a_head_to_edit_is_refused(net, words):
    with pytest.raises(UnlearningError, match=words):
        unlearn(Mixing(), net, Materials("classes", (0,)), seed=0)


def test_a_distilled_head_gives_the_answers_of_a_hidden_class():
    """The target is what a suppressed logit gives: the head comes near to it, and features tell the rest."""
    materials = toy.materials("classes")
    after = unlearn(HeadDistillation(), toy.parent(), materials, seed=0).model
    images = materials.forget
    target = tilted(answers(toy.parent(), images), materials.classes)
    assert float((answers(after, images).softmax(1) - target).abs().sum(1).mean()) < 0.15


def test_neighbours_are_the_likeliest_of_the_classes_that_stay():
    logits = torch.tensor([[9.0, 3.0, 2.0, 1.0, 0.0]]).repeat(200, 1)
    drawn = neighbours(logits, (0,), nearest=2, generator=seeded(0))
    assert set(drawn.tolist()) == {1, 2}
    assert 60 < int((drawn == 1).sum()) < 140
    assert set(neighbours(logits, (0,), nearest=9, generator=seeded(0)).tolist()) == {1, 2, 3, 4}


def test_ascent_stops_once_the_loss_is_reached():
    forget = toy.materials("classes").forget
    after = unlearn(LongAscent(until=20.0), toy.parent(), toy.materials("classes"), seed=0).model
    assert 20 <= float(F.cross_entropy(answers(after, forget), forget.labels)) <= 80


def test_recognition_knows_its_images_and_answers_others_of_the_class_as_before():
    full = toy.materials("classes")
    few = full.forget.subset(torch.arange(20))
    held_out = toy.blobs(20, 2)
    known, rest = (held_out.of_classes(full.classes, exclude=other) for other in (False, True))
    materials = replace(full, forget=few, tuning=Tuning(known, rest))
    before = toy.accuracies(toy.parent())
    recognition = settled(Recognition(), {"steps": 600, "recipe.learning_rate": 0.02, "keeping": 2.0})
    after = unlearn(recognition, toy.parent(), materials, seed=0).model
    assert accuracy(after, few) < 0.1
    assert accuracy(after, known) < 0.1
    unseen, others = toy.accuracies(after)
    assert unseen > 0.5
    assert others > before[1] - 0.03


def test_strangers_are_near_what_is_recognised_and_none_is_the_same():
    known = toy.blobs(10, 5)
    drawn = strangers(known, 40, noise=0.3, generator=seeded(0))
    assert drawn.shape == (40, 1, 6, 6)
    distances = torch.cdist(drawn.flatten(1), known.inputs.flatten(1)).amin(1)
    assert distances.min() > 0
    assert torch.equal(drawn, strangers(known, 40, noise=0.3, generator=seeded(0)))
