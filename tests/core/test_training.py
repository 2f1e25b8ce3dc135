"""The one training loop: it learns, in a seeded way, by every recipe."""

import itertools

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from world import ARCHITECTURE, QUICK, accuracy, blobs, same_weights

from unlearn_core.errors import UnlearningError
from unlearn_core.models import build_seeded
from unlearn_core.records.artifact import Recipe
from unlearn_core.training import Lesson, augment, cross_entropy, fit, teach


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def recipe(**changes):
    return Recipe(**{**dict(QUICK), **changes})


def trained(seed=0, samples=None, **changes):
    net = build_seeded(ARCHITECTURE, 0)
    fit(net, blobs() if samples is None else samples, recipe(**changes), generator=seeded(seed))
    return net


@pytest.mark.parametrize(
    ("optimizer", "schedule"),
    list(itertools.product(("sgd", "adamw"), ("one_cycle", "cosine", "triangle", "constant"))),
)
def test_every_optimiser_and_schedule_learns(optimizer, schedule):
    rate = 0.05 if optimizer == "sgd" else 0.005
    net = trained(optimizer=optimizer, schedule=schedule, learning_rate=rate, epochs=4)
    assert accuracy(net, blobs(seed=1)) > 0.95


@pytest.mark.parametrize("augmentation", ["none", "flip_shift"])
def test_a_seed_gives_the_bits(augmentation):
    first, again, other = (trained(seed, augmentation=augmentation) for seed in (1, 1, 2))
    assert same_weights(first, again)
    assert not same_weights(first, other)


def test_training_draws_from_its_own_generator_alone():
    torch.manual_seed(1)
    first = trained(augmentation="flip_shift")
    torch.manual_seed(2)
    assert same_weights(first, trained(augmentation="flip_shift"))


def test_a_trained_net_is_left_in_eval_mode():
    assert not any(module.training for module in trained().modules())


@pytest.mark.parametrize("count", [17, 33])
def test_a_last_batch_of_a_single_sample_is_left_out(count):
    net = nn.Sequential(nn.Flatten(), nn.Linear(64, 3), nn.BatchNorm1d(3))
    fit(net, blobs(count), recipe(epochs=1), generator=seeded())
    assert int(net[2].num_batches_tracked) == count // 16


@pytest.mark.parametrize("count", [0, 1])
def test_too_few_samples_are_refused_with_their_number(count):
    with pytest.raises(UnlearningError, match=f"at least two samples, got {count}"):
        trained(samples=blobs(3).subset(torch.arange(count)))


def test_every_epoch_is_told_with_its_mean_loss():
    steps = []
    fit(
        build_seeded(ARCHITECTURE, 0),
        blobs(),
        recipe(epochs=3),
        generator=seeded(),
        on_step=steps.append,
        phase="repair",
    )
    assert [(step.phase, step.index, step.total) for step in steps] == [("repair", n, 3) for n in (1, 2, 3)]
    assert steps[2].values["loss"] < steps[0].values["loss"]


class Line(nn.Module):
    """One weight per class and pixel, whose training can be written down by hand."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(3, 64))

    def forward(self, x):
        return x.flatten(1) @ self.weight.T


def test_plain_descent_equals_a_loop_written_by_hand():
    samples, net, rate, decay = blobs(32), Line(), 0.1, 0.01
    settings = recipe(momentum=0.0, weight_decay=decay, learning_rate=rate, epochs=2, batch_size=8)
    fit(net, samples, settings, generator=seeded(3))
    weight, generator = torch.zeros(3, 64, requires_grad=True), seeded(3)
    for _ in range(2):
        order = torch.randperm(32, generator=generator)
        for rows in order.split(8):
            loss = F.cross_entropy(samples.inputs[rows].flatten(1) @ weight.T, samples.labels[rows])
            (slope,) = torch.autograd.grad(loss, weight)
            weight = (weight - rate * (slope + decay * weight)).detach().requires_grad_()
    torch.testing.assert_close(net.weight, weight)


def naive_augment(inputs, reach, *, flip, generator):
    """Move image by image and pixel by pixel, clamping at the edge."""
    count, _, height, width = inputs.shape
    mirrored = torch.rand(count, generator=generator) < 0.5 if flip else torch.zeros(count)
    shifts = torch.randint(0, 2 * reach + 1, (2, count), generator=generator)
    moved = torch.empty_like(inputs)
    for image, channel, row, column in itertools.product(*map(range, inputs.shape)):
        from_row = min(max(row + int(shifts[0, image]) - reach, 0), height - 1)
        from_column = min(max(column + int(shifts[1, image]) - reach, 0), width - 1)
        from_column = width - 1 - from_column if mirrored[image] else from_column
        moved[image, channel, row, column] = inputs[image, channel, from_row, from_column]
    return moved


@pytest.mark.parametrize("reach", [0, 1, 3])
@pytest.mark.parametrize("shape", [(6, 1, 8, 8), (5, 3, 4, 7), (1, 2, 5, 3)])
@pytest.mark.parametrize("augmentation", ["shift", "flip_shift"])
def test_augmenting_equals_a_naive_loop(reach, shape, augmentation):
    inputs = torch.randn(shape, generator=seeded(0))
    found = augment(inputs, recipe(augmentation=augmentation, max_shift=reach), seeded(4))
    flip = augmentation == "flip_shift"
    assert torch.equal(found, naive_augment(inputs, reach, flip=flip, generator=seeded(4)))


def test_without_augmentation_images_stay_as_they_are():
    inputs = torch.randn(2, 1, 4, 4)
    assert augment(inputs, recipe(), seeded()) is inputs


def test_frozen_weights_stay():
    net = build_seeded(ARCHITECTURE, 0)
    net.stem.weight.requires_grad_(False)
    before = net.stem.weight.clone()
    fit(net, blobs(), recipe(), generator=seeded())
    assert torch.equal(net.stem.weight, before)


def test_normalisation_that_is_frozen_keeps_its_statistics():
    net = build_seeded(ARCHITECTURE, 0)
    net.bn.requires_grad_(False)
    fit(net, blobs(), recipe(), generator=seeded())
    assert int(net.bn.num_batches_tracked) == 0
    assert int(net.block1.bn1.num_batches_tracked) == 12


def test_plain_training_is_one_lesson_an_epoch():
    first, second = (build_seeded(ARCHITECTURE, 0) for _ in range(2))
    fit(first, blobs(), recipe(schedule="cosine"), generator=seeded())
    teach(second, [[Lesson(blobs())]] * 2, recipe(schedule="cosine"), generator=seeded())
    assert same_weights(first, second)


def backwards(net, batch):
    return -2 * cross_entropy(net, batch)


def test_lessons_share_one_optimiser_and_equal_a_loop_written_by_hand():
    up, down, net, rate = blobs(8, seed=1), blobs(32), Line(), 0.1
    settings = recipe(momentum=0.9, weight_decay=0.0, learning_rate=rate, batch_size=8)
    epochs = [[Lesson(up, backwards, batch_size=4), Lesson(down)]] * 2
    teach(net, epochs, settings, generator=seeded(3))
    weight, generator, velocity = torch.zeros(3, 64, requires_grad=True), seeded(3), torch.zeros(3, 64)
    for samples, size, factor in ((up, 4, -2), (down, 8, 1)) * 2:
        for rows in torch.randperm(len(samples), generator=generator).split(size):
            loss = F.cross_entropy(samples.inputs[rows].flatten(1) @ weight.T, samples.labels[rows])
            (slope,) = torch.autograd.grad(factor * loss, weight)
            velocity = 0.9 * velocity + slope
            weight = (weight - rate * (slope + 0.9 * velocity)).detach().requires_grad_()
    torch.testing.assert_close(net.weight, weight)


def test_every_lesson_is_told_under_its_name():
    steps, lessons = [], [Lesson(blobs(8), backwards, told_as="up"), Lesson(blobs(), told_as="down")]
    teach(Line(), [lessons, lessons[1:]], recipe(), generator=seeded(), on_step=steps.append)
    assert [set(step.values) for step in steps] == [{"up", "down"}, {"down"}]
    assert [(step.index, step.total) for step in steps] == [(1, 2), (2, 2)]


def test_after_every_step_it_is_called():
    calls = []
    teach(Line(), [[Lesson(blobs(33))]], recipe(), generator=seeded(), after_step=lambda: calls.append(1))
    assert len(calls) == 2


def test_a_lesson_of_a_single_sample_is_refused_before_anything_changes():
    net = build_seeded(ARCHITECTURE, 0)
    lessons = [Lesson(blobs()), Lesson(blobs(3).subset(torch.arange(1)))]
    with pytest.raises(UnlearningError, match="at least two samples, got 1"):
        teach(net, [lessons], recipe(), generator=seeded())
    assert same_weights(net, build_seeded(ARCHITECTURE, 0))
