"""What is special to masked small gradients."""

import contextlib

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from world import ARCHITECTURE, blobs

from unlearn_core.errors import ModelError, UnlearningError
from unlearn_core.method import Materials
from unlearn_core.methods import msg
from unlearn_core.methods.msg import Msg, difference_of_gradients, smallest
from unlearn_core.models import build_seeded
from unlearn_core.records.artifact import Recipe
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


class HeadFirst(nn.Module):
    """Its head is registered before a layer with as many rows, and its convolution is used twice."""

    def __init__(self, *, tied: bool = False, normalised: bool = False) -> None:
        super().__init__()
        self.head = nn.Linear(6, 3)
        self.projection = nn.Linear(6, 6)
        first, second = nn.Conv2d(1, 6, 3, padding=1), nn.Conv2d(6, 6, 3, padding=1)
        third = nn.Conv2d(6, 6, 3, padding=1) if tied else second
        third.weight = second.weight
        self.second = nn.utils.parametrizations.weight_norm(second) if normalised else second
        self.first, self.third = first, third
        self.last = nn.Linear(6, 3)

    def forward(self, inputs: Tensor) -> Tensor:
        hidden = self.third(self.second(self.first(inputs)).relu()).relu()
        return self.head(self.projection(hidden.mean((2, 3))).relu())


def redrawn(model: nn.Module, monkeypatch: pytest.MonkeyPatch, **settings: float) -> dict[str, int]:
    """Return how many values of which tensors are drawn anew."""
    seen: dict[str, Tensor] = {}
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}

    def watched(changed: nn.Module, *_arguments: object, **_named: object) -> None:
        seen.update({name: tensor.clone() for name, tensor in changed.state_dict().items()})

    monkeypatch.setattr(msg, "fit", watched)
    with contextlib.suppress(ModelError):
        unlearn(Msg(**settings), model, Materials("classes", (1,), FORGET, RETAIN), seed=0)
    changed = {name: int((seen[name] != tensor).sum()) for name, tensor in before.items()}
    return {name: count for name, count in changed.items() if count}


def test_the_row_of_the_layer_that_gives_the_output_is_drawn_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    found = redrawn(HeadFirst(), monkeypatch, share=0.001)
    assert found == {"head.weight": 6}


@pytest.mark.parametrize("tied", [True, False])
def test_a_convolution_in_two_places_is_drawn_once_and_its_gradient_scaled_once(
    monkeypatch: pytest.MonkeyPatch, tied: bool
) -> None:
    model = HeadFirst(tied=tied)
    assert list(msg._convolution_weights(model)) == ["second.weight", "first.weight"]
    found = redrawn(model, monkeypatch, share=0.5)
    assert found == {
        "head.weight": 6, "first.weight": 27, "second.weight": 162, "third.weight": 162,
    }  # fmt: skip


def test_weights_that_are_computed_from_others_are_only_trained(monkeypatch: pytest.MonkeyPatch) -> None:
    model = HeadFirst(normalised=True)
    assert list(msg._convolution_weights(model)) == ["first.weight"]
    assert redrawn(model, monkeypatch, share=0.5) == {"head.weight": 6, "first.weight": 27}
    monkeypatch.undo()
    after = unlearn(Msg(), model, Materials("classes", (1,), FORGET, RETAIN), seed=0).model
    assert not torch.equal(after.second.weight, model.second.weight)


def test_without_a_head_of_its_own_no_row_is_drawn_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    model = HeadFirst()
    nn.utils.parametrizations.weight_norm(model.head)
    assert redrawn(model, monkeypatch, share=0.5).keys() == {"first.weight", "second.weight", "third.weight"}


def test_weight_decay_acts_on_every_weight_even_where_gradients_are_stopped() -> None:
    recipe = Recipe(optimizer="sgd", learning_rate=0.1, weight_decay=0.5, schedule="constant", epochs=1)
    torch.manual_seed(0)
    before = HeadFirst()
    after = unlearn(
        Msg(factor=0.0, share=0.001, recipe=recipe),
        before,
        Materials("classes", (1,), FORGET, RETAIN),
        seed=0,
    ).model
    assert after.first.weight.norm() < before.first.weight.norm()


def test_a_net_without_convolutions_is_refused() -> None:
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 3))
    with pytest.raises(UnlearningError, match="has none"):
        unlearn(Msg(), model, Materials("classes", (1,), FORGET, RETAIN), seed=0)
