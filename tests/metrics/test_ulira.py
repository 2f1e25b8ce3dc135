"""U-LiRA: a trace in the target shows, shadows alone give nothing away, thresholds come from shadows."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from unlearn_core.conformance import observed, subjects
from unlearn_core.errors import UsageError
from unlearn_core.metrics.ulira import ULira
from unlearn_core.observations import Shadows
from unlearn_core.roc import NEGATIVES_FOR_LOW_FPR


def measured(shadows, **settings):
    found = ULira(resamples=200, **settings).measure(replace(subjects.ordinary(), shadows=shadows), seed=0)
    return {entry.name: entry for entry in found}


def shadows(signal, **sizes):
    return subjects.shadows(torch.Generator().manual_seed(2), signal=signal, **sizes)


def test_attack_finds_samples_that_left_a_trace():
    found = measured(shadows(2.0, samples=400))
    assert found["ulira.auc"].low > 0.8
    assert found["ulira.balanced_accuracy"].low > 0.7


def test_attack_fails_on_a_target_that_never_saw_any_sample():
    """The shadows' unlearning leaves a trace; the target shows none, whatever the sample."""
    seen = shadows(2.0, samples=400)
    trace = np.where(seen.member, 2.0, 0.0)
    found = measured(replace(seen, target=seen.target - trace))
    for name in ("ulira.auc", "ulira.balanced_accuracy"):
        assert found[name].low <= 0.5 <= found[name].high


def test_sample_that_is_merely_easy_is_no_member():
    """Margins of members and others do not overlap, and yet each sample's own shadows explain them."""
    seen = shadows(0.0, samples=400)
    easy = np.where(seen.member, 30.0, 0.0)
    found = measured(Shadows(seen.inside + easy, seen.outside + easy, seen.target + easy, seen.member))
    assert found["ulira.auc"].low <= 0.5 <= found["ulira.auc"].high


def test_threshold_is_fitted_on_shadows_and_not_on_the_target():
    """The target's margins are shifted, which keeps the order, and so the AUC, but misses the threshold."""
    seen = shadows(6.0, samples=200)
    shifted = measured(replace(seen, target=seen.target + 20))
    assert shifted["ulira.auc"].value > 0.95
    assert shifted["ulira.balanced_accuracy"].value == 0.5


def test_many_shadows_have_a_variance_for_every_sample():
    """One sample's margins vary wildly: with its own variance its large margin says little."""
    seen = shadows(3.0, count=40, samples=50)
    wild = np.where(np.arange(50) == 1, 50.0, 1.0)
    varied = Shadows(seen.inside * wild, seen.outside * wild, seen.target * wild, seen.member)
    assert measured(varied, share_variance_below=2) != measured(varied)
    assert measured(varied, share_variance_below=41) == measured(varied)


def test_true_positive_rate_needs_enough_samples_never_seen():
    few, enough = (
        shadows(40.0, samples=2 * count) for count in (NEGATIVES_FOR_LOW_FPR - 1, NEGATIVES_FOR_LOW_FPR)
    )
    assert "ulira.tpr_at_1pct_fpr" not in measured(few)
    assert measured(enough)["ulira.tpr_at_1pct_fpr"].value == 1


def test_too_few_shadows_are_refused():
    with pytest.raises(UsageError, match="at least 4"):
        measured(shadows(1.0, count=3))


def test_shadows_that_do_not_fit_are_refused():
    seen = shadows(1.0)
    with pytest.raises(UsageError, match="do not fit"):
        replace(seen, target=seen.target[:-1])
    with pytest.raises(UsageError, match="trained on"):
        replace(seen, member=np.zeros_like(seen.member))


@pytest.mark.parametrize(("trace", "shows"), [(4.0, True), (0.0, False)])
def test_where_the_target_saw_every_sample_shadows_that_did_not_stand_in_for_others(trace, shows):
    random = np.random.default_rng(3)
    inside, outside = random.normal(4.0, 1.0, (16, 40)), random.normal(0.0, 1.0, (16, 40))
    target = random.normal(trace, 1.0, 40)
    auc = measured(Shadows(inside, outside, target, np.ones(40, dtype=bool)))["ulira.auc"]
    assert (auc.low > 0.9) == shows
    assert (auc.low <= 0.5 <= auc.high) != shows


def test_margins_without_spread_give_finite_scores():
    flat = np.zeros((observed.SHADOWS, 10))
    found = measured(Shadows(flat + 1, flat, np.arange(10) % 2.0, np.arange(10) % 2 == 1))
    assert found["ulira.auc"].value == 1
