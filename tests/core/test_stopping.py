"""Attempts at learning rates, one after the other."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from unlearn_core.data import Samples
from unlearn_core.progress import ignore_step
from unlearn_core.stopping import Judged, RateAttempt, judge_of_samples, search_rate


def attempt_at(rate: float, right: float) -> RateAttempt:
    """Be content with a rate within a factor of 1.5 of the right one; the further away, the worse."""
    distance = math.log(rate / right)
    near = abs(distance) < math.log(1.5)
    judged = Judged("right", (False, abs(distance)), near, {})
    verdict = "right" if near else "too much" if distance > 0 else "too little"
    return RateAttempt(rate, 1, judged, [], verdict)


@given(right=st.floats(0.001, 1.0))
def test_a_rate_within_two_decades_is_found(right: float) -> None:
    made: list[float] = []

    def attempt(rate: float) -> RateAttempt:
        made.append(rate)
        return attempt_at(rate, right)

    found = search_rate(attempt, 0.03, attempts=8, on_step=ignore_step)
    assert found.verdict == "right"
    assert made[-1] == found.lr_start


def test_no_more_attempts_are_made_than_allowed_and_the_best_is_kept() -> None:
    made: list[float] = []

    def attempt(rate: float) -> RateAttempt:
        made.append(rate)
        return attempt_at(rate, 1e-9)

    found = search_rate(attempt, 1.0, attempts=3, on_step=ignore_step)
    assert made == pytest.approx([1.0, 1 / 3, 1 / 9])
    assert found.lr_start == made[-1]


class Guessing(nn.Module):
    """Gets a share of the samples right: those whose input is below it."""

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share

    def forward(self, inputs: Tensor) -> Tensor:
        right = (inputs < self.share).double()
        return torch.stack([right, 1 - right], 1)


@pytest.mark.parametrize(("recognised", "good"), [(0.90, False), (0.805, True), (0.795, True), (0.75, False)])
def test_samples_need_no_further_attempt_once_recognised_like_unseen_ones(
    recognised: float, *, good: bool
) -> None:
    def samples(scale: float) -> Samples:
        """Return 200 samples, of which a share below 0.8 is recognised where the scale is one."""
        return Samples(torch.arange(200) / 200 * scale, torch.zeros(200, dtype=torch.int64))

    forget, unseen = samples(0.8 / recognised), samples(1.0)
    judge = judge_of_samples(Guessing(0.8), forget, unseen, max_retain_drop=0.02)
    assert judge(Guessing(0.8)).good == good
