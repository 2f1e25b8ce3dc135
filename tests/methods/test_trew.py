"""What is special to tilted reweighting, and to distillation with a masked class."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from unlearn_core.data import Samples
from unlearn_core.distillation import divergence_from, tilted
from unlearn_core.errors import UnlearningError
from unlearn_core.method import Materials
from unlearn_core.methods import trew
from unlearn_core.methods.delete_distill import DeleteDistill
from unlearn_core.methods.trew import Trew, similarities
from unlearn_core.records.artifact import Recipe
from unlearn_core.unlearning import unlearn

HEAD = torch.tensor([[1.0, 0.0, 0.0], [0.9, 0.1, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])


def masked(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """The published target of masked distillation: the softmax without each sample's own class."""
    return logits.scatter(1, labels[:, None], -torch.inf).softmax(1)


def drawn(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@given(seed=st.integers(0, 2**16), classes=st.integers(2, 6))
def test_without_a_tilt_the_target_is_that_of_masked_distillation(seed: int, classes: int) -> None:
    logits = drawn(8, classes, seed=seed)
    labels = torch.full((8,), 1)
    target = tilted(logits, (1,), torch.zeros(classes))
    torch.testing.assert_close(target, masked(logits, labels))


def test_the_target_is_what_the_formula_says() -> None:
    logits, tilt = drawn(5, 4), torch.tensor([0.3, 9.0, -1.0, 2.0])
    shares = logits.softmax(1) * tilt.exp()
    shares[:, 1] = 0
    torch.testing.assert_close(tilted(logits, (1,), tilt), shares / shares.sum(1, keepdim=True))


def test_the_class_most_like_the_forgotten_one_has_the_largest_similarity() -> None:
    found = similarities(HEAD, (0,), directions=3, tau=0.1)
    assert found[0] == 0
    assert found.argmax() == 1
    assert found.sum() == pytest.approx(1)
    torch.testing.assert_close(similarities(5 * HEAD + 3, (0,), directions=3, tau=0.1), found)


def test_of_several_forgotten_classes_the_nearest_counts() -> None:
    found = similarities(HEAD, (0, 3), directions=3, tau=0.1)
    assert found[[0, 3]].tolist() == [0, 0]
    assert found[1] > found[2]


def test_the_divergence_of_a_model_from_its_own_answers_is_nothing() -> None:
    logits = drawn(6, 4)
    assert divergence_from(logits.softmax(1), logits) == pytest.approx(0, abs=1e-6)
    target = masked(logits, torch.zeros(6, dtype=torch.int64))
    by_hand = (target * (target.clamp_min(1e-30).log() - logits.log_softmax(1))).sum(1).mean()
    assert divergence_from(target, logits) == pytest.approx(float(by_hand), rel=1e-5)


@pytest.mark.parametrize("kind", [Trew, DeleteDistill])
def test_a_linear_model_comes_to_the_target(kind: type) -> None:
    """One forgotten image, no retained weight: descent ends where the model's answer is the target."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(4, 4))
    image = drawn(1, 1, 2, 2).repeat(2, 1, 1, 1)
    labels = torch.zeros(2, dtype=torch.int64)
    recipe = Recipe(optimizer="sgd", learning_rate=0.2, weight_decay=0, schedule="constant", epochs=400)
    settings = {"retain_weight": 0.0, "repair_epochs": 0, "beta": 3.0} if kind is Trew else {}
    method = kind(recipe=recipe, **settings)
    retain = Samples(drawn(4, 1, 2, 2, seed=1), torch.tensor([1, 2, 3, 1]))
    after = unlearn(method, model, Materials("classes", (0,), Samples(image, labels), retain), seed=0).model
    tilt = 3.0 * similarities(model[1].weight.detach(), (0,), directions=3, tau=0.1)
    target = tilted(model(image), (0,), tilt if kind is Trew else torch.zeros(4))
    torch.testing.assert_close(after(image).softmax(1), target, atol=5e-3, rtol=0)


@pytest.mark.parametrize("forgotten", [(0, 2), (1, 2, 3)])
def test_no_image_is_taught_as_another_forgotten_class(forgotten: tuple[int, ...]) -> None:
    """The answers of both, after descent to the target, are the original's over the classes that stay."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(4, 5))
    images = drawn(1, 1, 2, 2).repeat(len(forgotten), 1, 1, 1)
    forget = Samples(images, torch.tensor(forgotten))
    retain = Samples(drawn(2, 1, 2, 2, seed=1), torch.tensor([4, 4]))
    kept = [c for c in range(5) if c not in forgotten]
    expected = torch.zeros(5)
    expected[kept] = model(images)[0, kept].softmax(0).detach()
    recipe = Recipe(optimizer="sgd", learning_rate=0.2, weight_decay=0, schedule="constant", epochs=400)
    for method in (
        DeleteDistill(recipe=recipe),
        Trew(recipe=recipe, beta=0.0, retain_weight=0.0, repair_epochs=0),
    ):
        after = unlearn(method, model, Materials("classes", forgotten, forget, retain), seed=0).model
        torch.testing.assert_close(after(images)[0].softmax(0), expected, atol=5e-3, rtol=0)


class TwoLayers(nn.Module):
    """The head is registered before the layer that feeds it, which has as many rows."""

    def __init__(self) -> None:
        super().__init__()
        self.head, self.first = nn.Linear(3, 3), nn.Linear(4, 3)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        return self.head(self.first(inputs.flatten(1)).relu())


def test_the_rows_of_the_layer_that_gives_the_output_are_compared() -> None:
    data = Samples(drawn(4, 1, 2, 2), torch.tensor([0, 0, 1, 2]))
    model = TwoLayers()
    assert torch.equal(trew._head(model, data), model.head.weight)


def test_a_net_without_a_linear_head_is_refused() -> None:
    class Sum(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(1, 3, 2)

        def forward(self, inputs: torch.Tensor) -> torch.Tensor:
            return self.conv(inputs).flatten(1)

    data = Samples(drawn(4, 1, 2, 2), torch.tensor([0, 0, 1, 2]))
    materials = Materials("classes", (0,), data.of_classes((0,)), data.of_classes((0,), exclude=True))
    with pytest.raises(UnlearningError, match="no linear layer gives it"):
        unlearn(Trew(), Sum(), materials, seed=0)
