"""A search aims at a retrained model's place: distances are in widths of the gate's bands."""

import math

import pytest
import torch

from unlearn_core.aiming import Distance, aim_at, distance, standing
from unlearn_core.records.policy import Band

DIGEST = "sha256:" + "0" * 64


def band(measurement, below, above, *, below_means="over_forgotten", claim="behaves"):
    return Band(
        measurement=measurement,
        claim=claim,
        below=below,
        above=above,
        below_means=below_means,
        above_means="over_forgotten" if below_means == "under_forgotten" else "under_forgotten",
    )


BANDS = (
    band("accuracy.train.forget", 0.05, 0.05),
    band("accuracy.test.forget", 0.08, 0.08),
    band("accuracy.audit.retain", 0.03, 0.03),
    band("confidence.true_class.audit.forget", 0.05, 0.05),
    band("loss.train.forget", 6.0, 6.0, below_means="under_forgotten"),
    band("mia.loss_auc", 0.15, 0.15),
    band("probe.gap", 1.0, 0.12, claim="removed"),
)
RETRAINED = {
    ("accuracy", "forget"): 0.0,
    ("accuracy", "retain"): 0.85,
    ("confidence", "forget"): 0.02,
    ("entropy", "forget"): 1.1,
    ("loss", "forget"): 8.0,
}


def aim(bands=BANDS):
    return aim_at(RETRAINED, bands, reference=DIGEST)


def off(**changes):
    return distance(aim(), RETRAINED | {tuple(name.split("_")): value for name, value in changes.items()})


def test_standing_is_the_mean_over_the_samples():
    logits = torch.randn(20, 4, generator=torch.Generator().manual_seed(0))
    labels = torch.arange(20) % 4
    found = standing(logits, labels, "retain")
    shares = [row.double().softmax(0) for row in logits]
    own = [float(row[label]) for row, label in zip(shares, labels, strict=True)]
    assert found["accuracy", "retain"] == sum(
        int(row.argmax()) == label for row, label in zip(shares, labels.tolist(), strict=True)
    ) / len(labels)
    assert found["confidence", "retain"] == pytest.approx(sum(own) / 20)
    assert found["loss", "retain"] == pytest.approx(-sum(map(math.log, own)) / 20)
    assert found["entropy", "retain"] == pytest.approx(
        -sum(float((row * row.log()).sum()) for row in shares) / 20
    )


def test_each_quantity_of_a_side_has_one_target_with_the_narrowest_band():
    widths = {(one.quantity, one.side): one.above for one in aim().targets}
    assert widths == {
        ("accuracy", "forget"): 0.05,
        ("accuracy", "retain"): 0.03,
        ("confidence", "forget"): 0.05,
        ("loss", "forget"): 6.0,
    }
    assert aim().reference == DIGEST


def test_bands_that_tuning_data_cannot_tell_give_no_aim():
    assert aim([band("mia.loss_auc", 0.1, 0.1), band("accuracy.train.forget", 1, 1, claim="removed")]) is None


def test_retrained_model_is_at_its_own_aim():
    assert off() == Distance(0.0, 0.0, 0.0)
    assert off().score == 1


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"accuracy_forget": 0.1}, Distance(2.0, 0.0, 2.0)),  # still known
        ({"loss_forget": 2.0}, Distance(1.0, 0.0, 1.0)),
        ({"loss_forget": 20.0}, Distance(0.0, 2.0, 2.0)),  # pushed away too hard
        ({"accuracy_retain": 0.79}, Distance(0.0, 2.0, 2.0)),  # the rest has suffered
        ({"accuracy_retain": 0.91}, Distance(0.0, 0.0, 2.0)),  # says nothing of forgotten data
        ({"accuracy_forget": 0.1, "loss_forget": 11.0}, Distance(2.0, 0.5, 2.0)),
        ({"entropy_forget": 2.0}, Distance(0.0, 0.0, 0.0)),  # no band asks for it
    ],
)
def test_distance_is_in_widths_of_a_band_and_knows_its_side(changes, expected):
    found = off(**changes)
    assert (found.under, found.over, found.worst) == pytest.approx(
        (expected.under, expected.over, expected.worst)
    )


def test_score_is_a_half_at_the_edge_of_the_worst_band():
    assert off(accuracy_forget=0.05, loss_forget=9.0).score == pytest.approx(0.5)


def test_side_that_was_not_measured_does_not_count():
    retain = {("accuracy", "retain"): 0.79}
    assert distance(aim(), retain).worst == pytest.approx(2.0)


def test_band_without_width_is_not_met_by_anything_else():
    sharp = aim([band("accuracy.train.forget", 0.0, 0.0)])
    assert sharp is not None
    assert distance(sharp, RETRAINED).worst == 0
    assert distance(sharp, RETRAINED | {("accuracy", "forget"): 0.01}).worst > 1000
