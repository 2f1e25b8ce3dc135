"""What is special to gradient ascent."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from world import blobs

from unlearn_core.errors import UnlearningError
from unlearn_core.method import Materials
from unlearn_core.methods.gradient_ascent import GradientAscent
from unlearn_core.records.artifact import Recipe
from unlearn_core.unlearning import unlearn

FORGET = blobs(12)


def line() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 3))


def test_a_step_goes_up_the_gradient_of_the_forget_loss() -> None:
    recipe = Recipe(
        optimizer="sgd",
        learning_rate=0.1,
        momentum=0.0,
        weight_decay=0.0,
        schedule="constant",
        epochs=1,
        batch_size=64,
    )
    model = line()
    after = unlearn(GradientAscent(recipe=recipe), model, Materials("samples", (), FORGET), seed=0).model
    weight = model.get_parameter("1.weight")
    (slope,) = torch.autograd.grad(F.cross_entropy(model(FORGET.inputs), FORGET.labels), weight)
    torch.testing.assert_close(after.get_parameter("1.weight"), weight + 0.1 * slope)


def test_the_loss_on_the_forget_data_rises_from_epoch_to_epoch() -> None:
    recipe = Recipe(optimizer="sgd", learning_rate=0.01, schedule="constant", epochs=5, batch_size=64)
    found = unlearn(GradientAscent(recipe=recipe), line(), Materials("samples", (), FORGET), seed=0)
    (curve,) = found.curves
    assert list(curve.values) == sorted(curve.values, reverse=True)  # what is descended is its negative


def test_a_single_sample_is_refused() -> None:
    with pytest.raises(UnlearningError, match="at least two samples, got 1"):
        unlearn(GradientAscent(), line(), Materials("samples", (), FORGET.subset(torch.arange(1))), seed=0)
