"""ZRF is likeness to a net that knows nothing, and the retrained model's is not one."""

from dataclasses import replace

import pytest
import torch

from unlearn_core.conformance import subjects
from unlearn_core.errors import UsageError
from unlearn_core.metrics.zrf import Zrf


def values(subject):
    return {entry.name: entry.value for entry in Zrf().measure(subject, seed=0)}


def test_even_odds_against_certainty_have_the_known_likeness():
    """JS of (1, 0, 0, 0) and (1/4, …) in bits: (log2(8/5) + (log2(2/5) + 3) / 4) / 2."""
    labels = torch.zeros(5, dtype=torch.int64)
    certain, even = subjects.saying(labels, labels), subjects.outputs(torch.zeros(5, 4), labels)
    subject = replace(
        subjects.ordinary(), views={("train", "forget"): certain}, untrained=even, reference=None
    )
    apart = (0.6780719051 + (-1.3219280949 + 3) / 4) / 2
    assert values(subject) == {"zrf.train.forget": pytest.approx(1 - apart)}


def test_model_that_speaks_like_an_untrained_one_has_forgotten_too_much():
    subject = subjects.ordinary()
    views = {**subject.views, ("train", "forget"): subject.untrained}
    found = values(replace(subject, views=views))
    assert found["zrf.train.forget"] == 1
    assert found["zrf.gap.train.forget"] > 0.1


def test_gap_to_itself_is_nought():
    subject = subjects.ordinary()
    assert values(replace(subject, reference=subject.views))["zrf.gap.train.forget"] == 0


def test_untrained_net_on_other_samples_is_refused():
    subject = subjects.ordinary()
    other = subjects.rows_of(subject.untrained, slice(5))
    with pytest.raises(UsageError, match=r"train\.forget"):
        Zrf().measure(replace(subject, untrained=other), seed=0)
