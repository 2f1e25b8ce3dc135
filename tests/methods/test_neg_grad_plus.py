"""What is special to NegGrad+."""

from typing import cast

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from world import blobs

from unlearn_core.errors import UnlearningError
from unlearn_core.method import Materials
from unlearn_core.methods.neg_grad_plus import NegGradPlus
from unlearn_core.records.artifact import Recipe
from unlearn_core.unlearning import unlearn

PLAIN = Recipe(
    optimizer="sgd",
    learning_rate=0.1,
    momentum=0.0,
    weight_decay=0.0,
    schedule="constant",
    epochs=1,
    batch_size=64,
)


def line() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 3))


def weight_of(model: nn.Module) -> torch.Tensor:
    return cast("torch.Tensor", model.get_parameter("1.weight"))


def loss(weight: torch.Tensor, bias: torch.Tensor, samples) -> torch.Tensor:
    return F.cross_entropy(samples.inputs.flatten(1) @ weight.T + bias, samples.labels)


@pytest.mark.parametrize("alpha", [0.95, 0.5])
def test_a_step_descends_on_the_weighted_difference_of_both_losses(alpha: float) -> None:
    forget, retain, model = blobs(12, seed=1), blobs(48, seed=2), line()
    after = unlearn(
        NegGradPlus(alpha=alpha, recipe=PLAIN), model, Materials("samples", (), forget, retain), seed=0
    ).model
    weight, bias = weight_of(model), model.get_parameter("1.bias")
    both = alpha * loss(weight, bias, retain) - (1 - alpha) * loss(weight, bias, forget)
    (slope,) = torch.autograd.grad(both, weight)
    torch.testing.assert_close(weight_of(after), weight - 0.1 * slope)


def test_an_epoch_is_a_pass_over_the_retained_data_however_little_is_forgotten() -> None:
    recipe = Recipe(**{**dict(PLAIN), "batch_size": 8, "epochs": 3})
    materials = Materials("samples", (), blobs(9, seed=1), blobs(48, seed=2))
    found = unlearn(NegGradPlus(recipe=recipe), line(), materials, seed=0)
    # Six steps an epoch: 8 retained samples each, and 8 forget samples, the single one left over skipped.
    assert found.samples_seen == 3 * 6 * (8 + 8)
    assert len(found.curves[0].values) == 3


def test_a_single_forget_sample_is_refused() -> None:
    single = blobs(9).subset(torch.arange(1))
    with pytest.raises(UnlearningError, match="at least two samples, got 1"):
        unlearn(NegGradPlus(), line(), Materials("samples", (), single, blobs()), seed=0)
