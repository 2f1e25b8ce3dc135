"""What is derived from observations: margins, arrivals."""

import pytest
import torch

from unlearn_core.observations import Outputs, RelearnCurve


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
    curve = RelearnCurve((0, 1, 5), (0.2, 0.6, 0.9), 5, 10)
    assert [curve.arrival(accuracy) for accuracy in (0.1, 0.6, 0.7, 0.95)] == [0, 1, 5, None]
