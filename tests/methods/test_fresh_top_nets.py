"""Nets that a careless cut would train wrongly: kept outputs lead each to the weights that it has without."""

import types

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from unlearn_core.data import Samples
from unlearn_core.method import Materials, Origin
from unlearn_core.methods.fresh_top import FreshTop
from unlearn_core.records.artifact import Recipe
from unlearn_core.unlearning import unlearn

RECIPE = Recipe(
    optimizer="sgd", learning_rate=0.1, weight_decay=0.0, schedule="constant", epochs=3, batch_size=16
)


class Net(nn.Module):
    """Two frozen layers and a head, put together in different ways."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.head = nn.Linear(8, 8), nn.Linear(8, 8), nn.Linear(8, 3)

    def forward(self, inputs: Tensor) -> Tensor:
        return self.head(self.second(self.first(inputs)).relu())


class ZeroHeadWithASkip(Net):
    """A head that starts with zeros, called by keyword, sees the first layer again."""

    def __init__(self) -> None:
        super().__init__()
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, inputs: Tensor) -> Tensor:
        hidden = self.first(inputs)
        return self.head(input=hidden + self.second(hidden).relu())


class ZeroHeadWithAGate(ZeroHeadWithASkip):
    """Its output is multiplied by something that comes from the image."""

    def forward(self, inputs: Tensor) -> Tensor:
        return self.head(self.first(inputs).relu()) * inputs.mean(1, keepdim=True)


class Stash(Net):
    """A layer remembers what its forward pass saw."""

    def __init__(self) -> None:
        super().__init__()
        self.first.register_forward_hook(self.catch)

    def catch(self, _module: nn.Module, _inputs: object, output: Tensor) -> None:
        self.seen = output

    def forward(self, inputs: Tensor) -> Tensor:
        self.second(self.first(inputs))
        return self.head(self.seen.relu())


class Attention(nn.Module):
    """Torch's attention takes its last weights without calling their module."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.attention, self.head = (
            nn.Linear(8, 8),
            nn.MultiheadAttention(8, 2, batch_first=True),
            nn.Linear(8, 3),
        )

    def forward(self, inputs: Tensor) -> Tensor:
        tokens = self.first(inputs)[:, None].repeat(1, 2, 1)
        return self.head(self.attention(tokens, tokens, tokens)[0].mean(1))


class Mask(Net):
    """What is masked depends on values that the first images do not have."""

    def forward(self, inputs: Tensor) -> Tensor:
        return self.head(self.first(inputs).relu() * (inputs[:, :1] <= 1).float())


class Dropout(Net):
    """Drops between the frozen layers and the head."""

    def forward(self, inputs: Tensor) -> Tensor:
        return self.head(F.dropout(self.second(self.first(inputs)), 0.5, self.training))


class DropoutModule(Net):
    def __init__(self) -> None:
        super().__init__()
        self.second = nn.Sequential(nn.Linear(8, 8), nn.Dropout(0.5))


class BatchStatistics(Net):
    """A normalisation without weights takes the batch's own statistics in training."""

    def __init__(self) -> None:
        super().__init__()
        self.second = nn.BatchNorm1d(8, affine=False)


class OnlyInTraining(Net):
    def forward(self, inputs: Tensor) -> Tensor:
        hidden = self.first(inputs).relu()
        return self.head(hidden + inputs if self.training else hidden)


class TokensFirst(Net):
    """Four tokens come before the images."""

    def forward(self, inputs: Tensor) -> Tensor:
        return self.head(self.second(inputs.repeat(4, 1, 1)).relu().mean(0))


class OwnForward(Net):
    """A layer's forward pass was replaced on the layer itself."""

    def __init__(self) -> None:
        super().__init__()
        self.first.forward = types.MethodType(
            lambda layer, inputs: 3 * F.linear(inputs, layer.weight), self.first
        )


class Remembers(Net):
    """A buffer moves with every pass, in eval mode too."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(8))

    def forward(self, inputs: Tensor) -> Tensor:
        self.mean.mul_(0.9).add_(0.1 * inputs.detach().mean(0))
        return self.head(self.first(inputs - self.mean).relu())


class RefusesBlanks(Net):
    def forward(self, inputs: Tensor) -> Tensor:
        assert bool(inputs.std() > 0), "a blank image"
        return super().forward(inputs)


def materials(make: type[nn.Module], count: int = 64) -> Materials:
    inputs = torch.randn(count, 8, generator=torch.Generator().manual_seed(1))
    inputs[:12, 0] = 0
    samples = Samples(inputs, torch.arange(count) % 3)
    return Materials("samples", (), samples.subset(torch.arange(2)), samples, origin=Origin(make, RECIPE))


def net(make: type[nn.Module]) -> nn.Module:
    torch.manual_seed(0)
    return make().eval()


def unlearned(make: type[nn.Module], **settings: int) -> nn.Module:
    return unlearn(FreshTop(epochs=3, **settings), net(make), materials(make), seed=0).model


NETS = [
    Net, ZeroHeadWithASkip, ZeroHeadWithAGate, Stash, Mask, Dropout, DropoutModule, BatchStatistics,
    OnlyInTraining, TokensFirst, OwnForward, Remembers, RefusesBlanks, Attention,
]  # fmt: skip


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("make", NETS)
def test_with_kept_outputs_it_comes_to_the_weights_that_it_has_without(make, layers):
    kept, plain = (unlearned(make, layers=layers, kept_mib=mib).state_dict() for mib in (64, 0))
    for name, value in plain.items():
        torch.testing.assert_close(kept[name], value, rtol=1e-4, atol=1e-5, msg=name)


def test_the_net_is_whole_whenever_a_step_is_reported():
    inputs, model, told = materials(Net).retain.inputs, net(Net), []

    def look(_step):
        hidden = inputs
        for layer in (model.first, model.second):
            hidden = F.linear(hidden, layer.weight, layer.bias)
        told.append((model(inputs), F.linear(hidden.relu(), model.head.weight, model.head.bias)))

    FreshTop(layers=1, epochs=2).apply(
        model, materials(Net), generator=torch.Generator().manual_seed(0), on_step=look
    )
    assert len(told) == 2
    for found, expected in told:
        torch.testing.assert_close(found, expected)
