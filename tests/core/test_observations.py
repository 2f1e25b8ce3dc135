"""What is derived from observations: margins, arrivals."""

import numpy as np
import pytest
import torch

from unlearn_core.errors import UsageError
from unlearn_core.observations import Ensembles, Outputs, RelearnCurve, Shadows


def said(logits, labels):
    logits = torch.tensor(logits)
    return Outputs(logits, logits, torch.tensor(labels))


def test_margin_is_the_log_odds_of_the_label():
    outputs = said([[1.0, 2.0, -1.0], [0.0, 0.0, 5.0]], [1, 0])
    own = torch.exp(-torch.tensor(outputs.losses()))
    assert outputs.margins() == pytest.approx(torch.log(own / (1 - own)).numpy())


def test_margin_stays_finite_where_the_probability_is_one():
    assert said([[800.0, 0.0, 0.0]], [0]).margins() == pytest.approx([800 - 0.6931471806])
    assert said([[800.0, 0.0, 0.0]], [1]).margins() == pytest.approx([-800])


def test_arrival_is_the_first_look_that_reaches():
    curve = RelearnCurve(steps=(0, 1, 5), accuracy=(0.2, 0.6, 0.9), limit=5, samples=10)
    assert [curve.arrival(accuracy) for accuracy in (0.1, 0.6, 0.7, 0.95)] == [0, 1, 5, None]


@pytest.mark.parametrize("margins", [np.zeros((0, 3)), np.zeros((3, 0)), np.full((3, 3), np.nan)])
def test_groups_of_models_without_a_usable_margin_are_refused(margins):
    view, usable = ("test", "retain"), np.zeros((3, margins.shape[1]))
    for pair in ((margins, usable), (usable, margins)):
        with pytest.raises(UsageError, match=r"test\.retain"):
            Ensembles(*({view: kind} for kind in pair))


def test_shadows_without_a_usable_margin_are_refused():
    usable, member = np.zeros((4, 2)), np.array([True, False])
    with pytest.raises(UsageError, match="not finite"):
        Shadows(usable, usable, np.array([0.0, np.inf]), member)
