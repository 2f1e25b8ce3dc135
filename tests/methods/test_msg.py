"""What is special to masked small gradients."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from world import ARCHITECTURE, blobs

from unlearn_core.errors import UnlearningError
from unlearn_core.method import Materials
from unlearn_core.methods import msg
from unlearn_core.methods.msg import Msg, difference_of_gradients, smallest
from unlearn_core.models import build_seeded
from unlearn_core.unlearning import unlearn

DATA = blobs(60)
FORGET, RETAIN = DATA.of_classes((1,)), DATA.of_classes((1,), exclude=True)


def net() -> nn.Module:
    return build_seeded(ARCHITECTURE, 0).eval()


def test_the_gradient_is_that_of_the_difference_of_losses() -> None:
    model = net()
    weights = {"stem.weight": model.get_parameter("stem.weight")}
    found = difference_of_gradients(model, weights, FORGET, RETAIN, batch_size=100)
    loss = F.cross_entropy(model(RETAIN.inputs), RETAIN.labels) - F.cross_entropy(
        model(FORGET.inputs), FORGET.labels
    )
    (expected,) = torch.autograd.grad(loss, list(weights.values()))
    torch.testing.assert_close(found["stem.weight"], expected)


def test_the_smallest_magnitudes_are_marked() -> None:
    values = torch.tensor([[-3.0, 0.1], [0.1, -0.2], [5.0, 0.0]])
    assert smallest(values, 0.5).tolist() == [[False, True], [True, False], [False, True]]
    assert not smallest(values, 0.1).any()
    assert smallest(values, 1.0).all()


def test_only_marked_weights_and_the_heads_row_are_drawn_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, torch.Tensor] = {}
    monkeypatch.setattr(msg, "fit", lambda model, *_a, **_n: seen.update(model.state_dict()))
    unlearn(Msg(share=0.3), net(), Materials("classes", (1,), FORGET, RETAIN), seed=0)
    expected = {
        name: int(0.3 * before.numel()) if before.ndim == 4 else before[1].numel()
        for name, before in net().state_dict().items()
        if before.ndim in {2, 4}
    }
    changed = {name: int((seen[name] != before).sum()) for name, before in net().state_dict().items()}
    assert {name: count for name, count in changed.items() if count} == expected


def test_gradients_of_other_convolution_weights_are_scaled_and_no_hook_stays() -> None:
    weight = nn.Parameter(torch.ones(4))
    fresh = torch.tensor([True, False, True, False])
    with msg._scaled_gradients({"w": weight}, {"w": fresh}, 0.1):
        (2 * weight).sum().backward()
    assert weight.grad.tolist() == pytest.approx([2, 0.2, 2, 0.2])
    weight.grad = None
    (2 * weight).sum().backward()
    assert weight.grad.tolist() == [2, 2, 2, 2]


def test_a_net_without_convolutions_is_refused() -> None:
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 3))
    with pytest.raises(UnlearningError, match="has none"):
        unlearn(Msg(), model, Materials("classes", (1,), FORGET, RETAIN), seed=0)
