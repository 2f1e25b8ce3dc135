"""Outputs of frozen layers: where a net can be cut, and that nothing but time is saved."""

from collections import OrderedDict

import pytest
import torch
import torchvision
from torch import Tensor, nn

from unlearn_core.activations import bytes_per_sample, cut_at, find_boundary, outputs_at
from unlearn_core.freezing import freeze_all_but, last_layers


def images(count: int = 6, *, channels: int = 3, size: int = 32) -> Tensor:
    return torch.randn(count, channels, size, size, generator=torch.Generator().manual_seed(0))


def frozen(net: nn.Module, layers: int) -> nn.Module:
    freeze_all_but(net.eval(), last_layers(net, layers))
    return net


class Skipping(nn.Module):
    """A net whose last layer sees the first one's output again."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(8, 8)
        self.second = nn.Linear(8, 8)
        self.head = nn.Linear(8, 3)

    def forward(self, inputs: Tensor) -> Tensor:
        first = self.first(inputs)
        return self.head(first + self.second(first).relu())


def nets() -> list:
    def seeded(make, **named):
        torch.manual_seed(0)
        return make(weights=None, num_classes=10, **named)

    vit = torchvision.models.VisionTransformer(32, 8, 3, 2, 24, 48, num_classes=10)
    return [
        pytest.param(seeded(torchvision.models.resnet18), 1, "avgpool", id="resnet18, head"),
        pytest.param(seeded(torchvision.models.resnet18), 3, "layer4.0", id="resnet18, block"),
        pytest.param(vit, 1, "encoder", id="vit, head"),
        pytest.param(vit, 3, "encoder.layers.encoder_layer_1", id="vit, mlp"),
    ]


@pytest.mark.parametrize(("net", "layers", "name"), nets())
def test_what_is_kept_gives_what_the_images_gave(net, layers, name):
    net = frozen(net, layers)
    inputs = images()
    boundary = find_boundary(net, inputs[:4])
    assert boundary is not None
    assert boundary.name == name
    kept = outputs_at(net, boundary, inputs.split(4))
    with torch.no_grad():
        expected = net(inputs)
        with cut_at(net, boundary):
            torch.testing.assert_close(net(kept), expected, rtol=1e-5, atol=1e-6)
        assert torch.equal(net(inputs), expected)
    assert bytes_per_sample(boundary) == kept[0].numel() * 4


@pytest.mark.parametrize(("net", "layers", "name"), nets())
def test_the_net_is_left_as_it_was(net, layers, name):
    net = frozen(net, layers)
    find_boundary(net, images(4))
    for module in net.modules():
        assert "forward" not in vars(module)
        assert not module._forward_hooks
        assert not module._forward_pre_hooks


def test_a_connection_that_skips_the_last_frozen_layer_is_noticed():
    torch.manual_seed(0)
    net = frozen(Skipping(), 1)
    boundary = find_boundary(net, torch.randn(4, 8))
    assert boundary is not None
    assert boundary.name == "first"


def test_where_all_layers_are_trained_there_is_nothing_to_keep():
    net = nn.Sequential(nn.Flatten(), nn.Linear(12, 3))
    assert find_boundary(frozen(net, 1), images(4, size=2)).name == "0"
    assert find_boundary(nn.Sequential(OrderedDict(head=nn.Linear(12, 3))), torch.randn(4, 12)) is None


def test_a_net_that_runs_a_layer_twice_is_not_cut_there():
    layer = nn.Linear(4, 4)
    net = nn.Sequential(layer, nn.ReLU(), layer, nn.Linear(4, 2))
    freeze_all_but(net, ["3"])
    boundary = find_boundary(net, torch.randn(4, 4))
    assert boundary is not None
    assert boundary.before == ("1",)
