"""Projected-gradient unlearning against the published code's numbers."""

from collections import OrderedDict
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from unlearn_core.data import Samples
from unlearn_core.guarding import guard
from unlearn_core.methods.pgu import Pgu, take_step
from unlearn_core.moments import Moments, collect, subtract
from unlearn_core.subspaces import eigenbasis, leading_rank, projector

GOLDEN = load_file(Path(__file__).parents[1] / "golden" / "pgu.safetensors")
LAYERS = ("conv1", "conv2", "fc1", "fc2")
TRAIN = Samples(GOLDEN["train_inputs"], GOLDEN["train_labels"])
FORGET = TRAIN.subset(GOLDEN["forget_indices"])


def golden_net() -> nn.Module:
    net = nn.Sequential(
        OrderedDict(
            conv1=nn.Conv2d(3, 8, 3, padding=1),
            bn1=nn.BatchNorm2d(8),
            relu1=nn.ReLU(),
            conv2=nn.Conv2d(8, 12, 3, padding=1),
            relu2=nn.ReLU(),
            pool=nn.AvgPool2d(2),
            flatten=nn.Flatten(),
            fc1=nn.Linear(108, 20),
            relu3=nn.ReLU(),
            fc2=nn.Linear(20, 5),
        )
    )
    before = {name.removeprefix("before."): t for name, t in GOLDEN.items() if name.startswith("before.")}
    net.double().load_state_dict(before, strict=False)
    return net.eval()


def assert_golden(actual: Tensor, expected: Tensor) -> None:
    torch.testing.assert_close(actual, expected, rtol=1e-8, atol=1e-8 * float(expected.abs().max()))


def singular_values(moments: Moments, layer: str) -> Tensor:
    """Return all of a layer's singular values, those of dead coordinates included."""
    moment = moments.layers[layer][0]
    values = eigenbasis(moment).values.sqrt()
    return torch.cat([values, values.new_zeros(len(moment) - len(values))])


@pytest.mark.parametrize("layer", LAYERS)
def test_the_singular_values_before_and_after_subtraction_are_the_published_ones(layer: str) -> None:
    net = golden_net()
    full = collect(net, TRAIN)
    assert_golden(singular_values(full, layer), GOLDEN[f"full.singular_values.{layer}"])
    retain = subtract(full, collect(net, FORGET))
    assert_golden(singular_values(retain, layer), GOLDEN[f"retain.singular_values.{layer}"])


@pytest.mark.parametrize("layer", LAYERS)
def test_ranks_and_projectors_are_the_published_ones(layer: str) -> None:
    net = golden_net()
    basis = eigenbasis(subtract(collect(net, TRAIN), collect(net, FORGET)).layers[layer][0])
    rank = leading_rank(basis, 0.9)
    assert rank == int(GOLDEN[f"retain.rank.{layer}"])
    assert_golden(projector(basis, rank), GOLDEN[f"retain.projector.{layer}"])


def test_five_steps_have_the_published_losses_and_weights() -> None:
    net = golden_net()
    method = Pgu(step_length="gradient")
    retained = subtract(collect(net, TRAIN), collect(net, FORGET))
    guarded = guard(net, retained, dict.fromkeys(LAYERS, 0.9))
    losses = []
    for step in range(1, 6):
        losses.append(take_step(net, guarded, FORGET, method, learning_rate=0.05))
        if step in {1, 5}:
            for layer in LAYERS:
                weight = net.get_parameter(f"{layer}.weight").detach()
                assert_golden(weight, GOLDEN[f"after_step{step}.{layer}.weight"])
    assert_golden(torch.tensor(losses, dtype=torch.float64), GOLDEN["losses"])


def test_biases_and_normalisation_stay() -> None:
    net = golden_net()
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    guarded = guard(net, collect(net, TRAIN), dict.fromkeys(LAYERS, 0.9))
    take_step(net, guarded, FORGET, Pgu(), learning_rate=0.05)
    for name, tensor in net.state_dict().items():
        assert torch.equal(tensor, before[name]) == (
            name.split(".")[0] not in LAYERS or name.endswith("bias")
        )
