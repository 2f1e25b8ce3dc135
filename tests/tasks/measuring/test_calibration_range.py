"""Which requests a calibration is not for: unlike its pseudo-requests, or of a model that is not its own."""

from dataclasses import replace

import numpy as np
import pytest
from world import content, manifest

from tasks.measuring.calibrated import lapsed, unlike_any
from unlearn_core.canaries import CANARY_SUBJECT
from unlearn_core.records.artifact import Architecture, CheckpointCard, Recipe
from unlearn_core.records.calibration import CalibratedKind, Calibration, CalibrationCost
from unlearn_core.records.data import Normalisation
from unlearn_core.records.policy import Band, Ladder, Policy

ROWS = manifest("aabbccabab", "rrrrrraatt", subjects="xyxy------")


@pytest.mark.parametrize(
    ("kind", "classes", "rows", "said"),
    [
        ("classes", (0,), (0, 1), None),
        ("classes", (0, 1), (0, 1, 2, 3), "for single classes, not for 2 together"),
        ("classes", (2,), (4, 5), "no held-out image"),
        ("subjects", (), (0, 2), None),
        ("subjects", (), (0, 1), "for single persons, not for 2 together"),
        ("samples", (), (0, 1, 4), None),
    ],
)
def test_a_request_unlike_every_pseudo_request_is_named(kind, classes, rows, said):
    why = unlike_any(ROWS, kind, classes, rows)
    assert (why is None) if said is None else (said in why)


def test_planted_canaries_are_not_calibrated():
    planted = replace(ROWS, subject_ids=np.array([CANARY_SUBJECT] * 2 + [""] * 8))
    assert "not for planted canaries" in str(unlike_any(planted, "subjects", (), (0, 1)))
    assert unlike_any(planted, "samples", (), (1, 2)) is None


CARD = CheckpointCard(
    architecture=Architecture(name="small_resnet", classes=("a", "b"), input_shape=(1, 8, 8)),
    normalisation=Normalisation(mean=(0.5,), std=(0.25,)),
    weights=content("model"),
    data=content("data"),
    seed=0,
    threads=1,
    recipe=Recipe(),
)
LADDER = Ladder(classes=("retrain",), samples=("retrain",))
BAND = Band(
    measurement="accuracy.train.forget",
    below=0.1,
    above=0.1,
    below_means="over_forgotten",
    above_means="under_forgotten",
)
POLICY = Policy(ladder=LADDER, classes=(BAND,), samples=(BAND,))


def calibration() -> Calibration:
    """Return bands for groups of two rows, of the model and the data of the card."""
    lines = 3 * ({"level": 0.5, "slope": 0.0, "scale": 1.0},)
    measured = {"measurement": BAND.measurement, "feature": BAND.measurement, "lines": lines}
    claims = ({"claim": "behaves", "measurements": (measured,), "scores": (1.0,) * 3},)
    told = {"kind": "samples", "coverage": 0.5, "smallest": 2, "largest": 2, "claims": claims}
    return Calibration(
        model=CARD.weights,
        data=CARD.data,
        architecture=CARD.architecture.name,
        recipe=Recipe(),
        deletions=None,
        weight_distance=None,
        kinds=(CalibratedKind(**told, folds=(0, 1, 2)),),
        cost=CalibrationCost(trainings=3, seconds=0.0),
    )


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, None),
        ({"recipe": Recipe(epochs=99)}, "the model's recipe is not the one"),
        ({"recipe": None}, "the model's recipe is not the one"),
        ({"data": content("more")}, "the model's training data are not those"),
        ({"data": content("less"), "weights": content("later"), "trained": CARD.weights}, None),
        ({"weights": content("another")}, "this one was trained in full as"),
    ],
)
def test_a_model_that_was_not_the_calibrated_one_is_named(changes, said):
    """The same weights may be adopted again, by another recipe or with other images."""
    parent = CARD.model_copy(update=changes)
    why = lapsed(calibration(), POLICY, parent, kind="samples", rows=2)
    assert (why is None) if said is None else (said in why)
