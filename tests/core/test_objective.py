"""What a search maximises, on held-out data whose answers are known."""

import pytest
import torch
from torch import Tensor, nn

from unlearn_core.data import Samples
from unlearn_core.errors import NeedError
from unlearn_core.method import Materials, Tuning
from unlearn_core.objective import objective
from unlearn_core.presets import with_presets
from unlearn_core.records.aim import Aim, Target


class Shifted(nn.Module):
    """Its inputs are its logits, with something on top of the second class's."""

    def __init__(self, shift: float = 0.0) -> None:
        super().__init__()
        self.shift = shift

    def forward(self, inputs: Tensor) -> Tensor:
        return inputs + torch.tensor([0.0, self.shift])


def of_class(label: int, leads_by: list[float]) -> Samples:
    logits = torch.zeros(len(leads_by), 2)
    logits[:, label] = torch.tensor(leads_by)
    return Samples(logits, torch.full((len(leads_by),), label))


def of_classes(held_out: Samples | None) -> Materials:
    tuning = Tuning(forget=held_out, retain=of_class(1, [5.0, 5.0]))
    return Materials("classes", classes=(0,), forget=of_class(0, [2.0, 2.0]), tuning=tuning)


def test_classes_score_by_what_is_forgotten_of_training_and_held_out_images():
    score = objective(Shifted(), of_classes(of_class(0, [2.0, 9.0])))
    assert score(Shifted()) == 0
    assert score(Shifted(4.0)) == pytest.approx(3 / 4)
    assert score(Shifted(11.0)) == 1


def test_classes_without_held_out_images_score_by_the_training_images():
    assert objective(Shifted(), of_classes(None))(Shifted(4.0)) == 1


def aim(value: float) -> Aim:
    """Aim at a loss on forgotten images, three nats to either side."""
    target = Target(
        quantity="loss",
        side="forget",
        value=value,
        below=3.0,
        above=3.0,
        below_means="under_forgotten",
        above_means="over_forgotten",
    )
    return Aim(reference="sha256:" + "0" * 64, targets=(target,))


@pytest.mark.parametrize("scope", ["classes", "samples"])
def test_with_an_aim_the_score_is_the_worst_distance_from_it_and_not_an_accuracy(scope):
    held_out = of_class(0, [2.0, 2.0]) if scope == "classes" else None
    tuning = Tuning(held_out, of_class(1, [5.0, 5.0]), aim(8.0))
    materials = Materials(scope, forget=of_class(0, [2.0, 2.0]), tuning=tuning)
    score = objective(Shifted(), materials)
    # The loss is the shift less two, almost: at 10 the model is where it should be, and at 16 beyond.
    assert score(Shifted(10.0)) == pytest.approx(0, abs=1e-3)
    assert score(Shifted(16.0)) == pytest.approx(-2, abs=1e-3)
    assert score(Shifted(4.0)) == pytest.approx(-2, abs=0.05)


def test_samples_score_by_their_distance_from_unseen_ones_and_what_those_have_lost():
    forget, unseen = of_class(0, [1.0, 1.0, 3.0, 3.0]), of_class(0, [1.0, 5.0, 5.0, -1.0])
    score = objective(Shifted(), Materials("samples", forget=forget, tuning=Tuning(None, unseen)))
    assert score(Shifted()) == pytest.approx(-(1 - 3 / 4))
    assert score(Shifted(2.0)) == pytest.approx(-(0 + (3 / 4 - 2 / 4)))


def test_without_tuning_data_there_is_no_score():
    with pytest.raises(NeedError, match="tuning"):
        objective(Shifted(), Materials("samples", forget=of_class(0, [1.0])))


TABLE = {
    "torchvision:*": {"pgu": {"epochs": 7, "attempts": 2}},
    "torchvision:resnet18": {"pgu": {"epochs": 9}},
}


def test_a_preset_fills_in_what_is_left_open():
    found = with_presets({"pgu": {"attempts": 5}, "svd": {}}, "torchvision:vgg11", TABLE)
    assert found == {"pgu": {"epochs": 7, "attempts": 5}, "svd": {}}


def test_of_two_patterns_the_first_counts():
    assert with_presets({"pgu": {}}, "torchvision:resnet18", TABLE)["pgu"]["epochs"] == 7


def test_a_null_that_is_given_stays():
    assert with_presets({"pgu": {"epochs": None}}, "torchvision:vgg11", TABLE)["pgu"]["epochs"] is None


def test_an_architecture_that_nobody_measured_gets_the_defaults():
    assert with_presets({"pgu": {}}, "mine:net", TABLE) == {"pgu": {}}


def test_a_preset_adds_no_method():
    assert with_presets({"svd": {}}, "torchvision:vgg11", TABLE) == {"svd": {}}
