"""UNSIR against the published code's numbers."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from unlearn_core.data import Samples, concatenate
from unlearn_core.methods.unsir import learn_noise, train_on
from unlearn_core.modes import mode

GOLDEN = load_file(Path(__file__).parents[1] / "golden" / "unsir.safetensors")
RETAIN = Samples(GOLDEN["retain_inputs"], GOLDEN["retain_labels"])
FORGET_CLASS = 2


def golden_net() -> nn.Module:
    net = nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.AvgPool2d(2),
        nn.Flatten(),
        nn.Linear(128, 5),
    )
    before = {name.removeprefix("before."): t for name, t in GOLDEN.items() if name.startswith("before.")}
    net.double().load_state_dict(before, strict=False)
    return net.eval()


def assert_golden(actual: Tensor, expected: Tensor) -> None:
    torch.testing.assert_close(actual, expected, rtol=1e-8, atol=1e-8 * float(expected.abs().max()))


def assert_golden_state(net: nn.Module, prefix: str) -> None:
    state = net.state_dict()
    for name in [key for key in GOLDEN if key.startswith(prefix)]:
        assert_golden(state[name.removeprefix(prefix)], GOLDEN[name])


@pytest.mark.parametrize("mode_name", ["eval", "train"])
def test_noise_and_its_losses_are_the_published_ones(mode_name: str) -> None:
    net = golden_net()
    with mode(net, mode_name):
        noise, losses = learn_noise(net, GOLDEN["noise_init"], FORGET_CLASS, steps=40, rate=0.1, penalty=0.1)
    assert_golden(noise.inputs, GOLDEN[f"{mode_name}_mode.noise_final"])
    assert_golden(torch.tensor(losses, dtype=torch.float64), GOLDEN[f"{mode_name}_mode.noise_losses"])


def test_impair_and_repair_give_the_published_weights() -> None:
    net = golden_net()
    noise = GOLDEN["eval_mode.noise_final"]
    labelled = Samples(noise, torch.full((len(noise),), FORGET_CLASS))
    impair_losses = train_on(net, [concatenate(labelled, RETAIN)], rate=0.02)
    assert_golden(torch.tensor(impair_losses[0], dtype=torch.float64), GOLDEN["impair_loss"])
    assert_golden_state(net, "after_impair.")
    repair_losses = train_on(net, [RETAIN], rate=0.01)
    assert_golden(torch.tensor(repair_losses[0], dtype=torch.float64), GOLDEN["repair_loss"])
    assert_golden_state(net, "after_repair.")
