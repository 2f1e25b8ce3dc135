"""The head is the layer that gives the net's output, wherever it was registered."""

import pytest
import torch
from torch import Tensor, nn

from unlearn_core.data import Samples
from unlearn_core.heads import features, linear_head


class Registered(nn.Module):
    """A net whose head comes first, and a layer of as many rows last."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(3, 3)
        self.dropout = nn.Dropout(0.5)
        self.first = nn.Linear(4, 3)

    def forward(self, inputs: Tensor) -> Tensor:
        return self.head(self.dropout(self.first(inputs).relu()))


class Shifted(Registered):
    """What gives its output is no layer."""

    def forward(self, inputs: Tensor) -> Tensor:
        return super().forward(inputs).log_softmax(1)


INPUTS = torch.randn(5, 4, generator=torch.Generator().manual_seed(0))


def test_the_head_is_found_by_what_it_gives():
    model = Registered().train()
    assert linear_head(model, INPUTS) is model.head
    assert model.training
    assert model.dropout.training
    assert not any(module._forward_hooks for module in model.modules())


@pytest.mark.parametrize("model", [Shifted(), nn.Conv1d(4, 3, 1)], ids=["softmax", "convolution"])
def test_where_no_linear_layer_gives_the_output_there_is_none(model):
    inputs = INPUTS if isinstance(model, Shifted) else INPUTS[:, :, None]
    assert linear_head(model, inputs) is None


def test_no_hook_stays_where_the_net_fails():
    model = Registered()
    with pytest.raises(RuntimeError):
        linear_head(model, INPUTS[:, :2])
    assert not any(module._forward_hooks for module in model.modules())


def test_features_are_what_the_head_is_given():
    model = Registered()
    found = features(model, model.head, Samples(INPUTS, torch.zeros(5, dtype=torch.int64)), batch_size=2)
    torch.testing.assert_close(found, model.first(INPUTS).relu())
    assert not any(module._forward_pre_hooks for module in model.modules())
