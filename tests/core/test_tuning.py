"""Standings on held-out data, and when judges say stop."""

import pytest
import torch
from aims import aim_within
from torch import Tensor, nn

from unlearn_core.data import Samples
from unlearn_core.stopping import judge_by_aim, judge_of_classes, judge_of_samples
from unlearn_core.tuning import accuracy, confidence, leads, measure_candidate, measure_held_out, stands_at


class Echo(nn.Module):
    """Its inputs are its logits, with something on top of one class's."""

    def __init__(self, bias: float = 0.0) -> None:
        super().__init__()
        self.bias = bias

    def forward(self, inputs: Tensor) -> Tensor:
        return inputs + torch.tensor([self.bias, 0.0])


def of_class(label: int, leads_by: list[float]) -> Samples:
    """Return samples of a class that it leads by so much, negative where the other one leads."""
    logits = torch.zeros(len(leads_by), 2)
    logits[:, label] = torch.tensor(leads_by)
    return Samples(logits, torch.full((len(leads_by),), label))


def test_leads_are_own_minus_the_best_other() -> None:
    samples = Samples(torch.tensor([[3.0, 1.0, 2.0], [0.0, 5.0, 1.0]]), torch.tensor([0, 2]))
    assert leads(nn.Identity(), samples, batch_size=1).tolist() == [1.0, -4.0]


def test_accuracy_is_the_share_in_the_lead() -> None:
    assert accuracy(nn.Identity(), of_class(0, [2.0, 1.0, -1.0, -3.0])) == 0.5


def test_confidence_is_the_mean_probability_of_the_own_class() -> None:
    logits = torch.randn(5, 3, generator=torch.Generator().manual_seed(0))
    labels = torch.tensor([0, 1, 2, 1, 0])
    by_hand = sum(float(row.softmax(0)[label]) for row, label in zip(logits, labels, strict=True)) / 5
    assert confidence(nn.Identity(), Samples(logits, labels), batch_size=2) == pytest.approx(by_hand)


def test_margins_make_the_score_stricter_on_both_sides() -> None:
    stands = measure_candidate(
        nn.Identity(), of_class(0, [0.2, -0.2, -2.0, -3.0]), of_class(1, [3.0, 0.2, -1.0, 2.0])
    )
    assert (stands.forget_accuracy, stands.within_reach) == (0.25, 0.5)
    assert (stands.retain_accuracy, stands.retain_clearly) == (0.75, 0.5)
    assert stands.score == pytest.approx((0.75 + 0.5) / 2 * 0.5)


def test_modes_are_left_as_found() -> None:
    model = nn.Sequential(nn.Dropout(0.5), nn.Linear(2, 2)).train()
    model[1].eval()
    accuracy(model, of_class(0, [1.0]))
    assert [module.training for module in model.modules()] == [True, True, False]


@pytest.mark.parametrize(("bias", "verdict"), [(-1.0, "too little"), (-5.0, "right"), (-9.0, "too much")])
def test_a_class_is_forgotten_when_it_trails_and_the_rest_stays(bias: float, verdict: str) -> None:
    forget, retain = of_class(0, [2.0, 3.0]), of_class(0, [7.0, 8.0])
    judge = judge_of_classes(Echo(), forget, retain, forget_target=0.0, max_retain_drop=0.1)
    assert judge(Echo(bias)).verdict == verdict


@pytest.mark.parametrize(("bias", "verdict"), [(0.0, "too little"), (-2.5, "right"), (-4.5, "too much")])
def test_samples_are_forgotten_when_they_are_recognised_less_than_unseen_ones(bias, verdict) -> None:
    forget, unseen = of_class(0, [2.0, 3.0, 4.0, 5.0]), of_class(0, [6.0, 7.0, 8.0, -1.0])
    unseen = Samples(unseen.inputs.repeat(5, 1), unseen.labels.repeat(5))
    forget = Samples(forget.inputs.repeat(5, 1), forget.labels.repeat(5))
    extra = of_class(0, [9.0] * 4)
    unseen = Samples(torch.cat([unseen.inputs, extra.inputs]), torch.cat([unseen.labels, extra.labels]))
    judge = judge_of_samples(Echo(), forget, unseen, max_retain_drop=0.1)
    assert judge(Echo(bias)).verdict == verdict


def aim_of_echo(bias: float, forget: Samples, retain: Samples, width: float = 2.0):
    """Aim at where the model with a bias stands, by the loss on what is forgotten."""
    return aim_within(stands_at(Echo(bias), forget, retain), "loss.train.forget", width)


@pytest.mark.parametrize(
    ("bias", "verdict", "good"),
    [(-3.0, "too little", False), (-9.5, "right", True), (-11.5, "right", True), (-12.5, "too much", False)],
)
def test_with_an_aim_forgetting_ends_near_it_and_not_beyond(bias, verdict, good) -> None:
    forget, retain = of_class(0, [-5.0, -5.0]), of_class(1, [7.0, 8.0])
    judge = judge_by_aim(Echo(), forget, retain, aim_of_echo(-10.0, forget, retain), max_retain_drop=0.1)
    found = judge(Echo(bias))
    assert (found.verdict, found.good) == (verdict, good)
    assert found.badness[-1] == found.values["distance"] == pytest.approx(abs(bias + 10.0) / 2, abs=0.01)


def test_with_an_aim_a_loss_on_the_rest_is_too_much_as_well() -> None:
    forget, retain = of_class(0, [2.0, 3.0]), of_class(0, [7.0, 8.0])
    judge = judge_by_aim(Echo(), forget, retain, aim_of_echo(-10.0, forget, retain), max_retain_drop=0.1)
    assert judge(Echo(-10.0)).verdict == "too much"


def test_candidate_scores_by_its_nearness_to_the_aim() -> None:
    forget, retain = of_class(0, [-5.0, -5.0]), of_class(1, [7.0, 8.0])
    aim = aim_of_echo(-6.0, forget, retain)
    scores = [measure_candidate(Echo(bias), forget, retain, aim=aim).score for bias in (-4.0, -6.0, -10.0)]
    assert scores == pytest.approx([1 / 2, 1, 1 / 3], abs=0.02)


def test_without_an_aim_more_is_better() -> None:
    forget, retain = of_class(0, [2.0, 3.0]), of_class(1, [7.0, 8.0])
    scores = [measure_candidate(Echo(bias), forget, retain).score for bias in (-2.2, -2.8, -10.0)]
    assert scores == sorted(set(scores))


def test_held_out_scores_have_a_distance_only_with_an_aim() -> None:
    forget, retain = of_class(0, [-5.0, -5.0]), of_class(1, [7.0, 8.0])
    plain = measure_held_out(Echo(), forget, retain, None)
    aimed = measure_held_out(Echo(), forget, retain, aim_of_echo(-6.0, forget, retain))
    assert plain.far is None
    assert "far" not in plain.values()
    assert aimed.far == pytest.approx(3, abs=0.1)
    assert measure_held_out(Echo(), None, retain, None).forget_accuracy == 0
