"""The average gap is the mean of four gaps that keep their signs."""

from dataclasses import replace

import pytest

from unlearn_core.conformance import subjects
from unlearn_core.metrics.accuracy import Accuracy
from unlearn_core.metrics.average_gap import AverageGap
from unlearn_core.metrics.svc_salun import SvcSalun

PARTS = (
    "accuracy.train.forget",
    "accuracy.train.retain",
    "accuracy.test.retain",
    "non_members.train.forget",
)


def values(subject, metric=None):
    return {entry.name: entry.value for entry in (metric or AverageGap()).measure(subject, seed=0)}


def test_mean_is_of_the_absolute_gaps():
    found = values(subjects.ordinary())
    gaps = [found[f"average_gap.{part}"] for part in PARTS]
    assert min(gaps) < 0 < max(gaps)
    assert found["average_gap.mean"] == pytest.approx(sum(map(abs, gaps)) / 4)


def test_gaps_are_differences_of_what_the_metrics_measure():
    subject = subjects.ordinary()
    mine, theirs = (
        values(one, Accuracy()) | values(one, SvcSalun()) for one in (subject, subject.retrained())
    )
    found = values(subject)
    for part in PARTS:
        name = part if part.startswith("accuracy") else f"svc_salun.{part}"
        assert found[f"average_gap.{part}"] == pytest.approx(mine[name] - theirs[name])


def test_too_little_and_too_much_forgetting_share_a_mean_and_differ_in_sign():
    subject = replace(subjects.ordinary(), floor=None)
    forth, back = values(subject), values(replace(subject, views=subject.reference, reference=subject.views))
    assert forth["average_gap.mean"] == pytest.approx(back["average_gap.mean"])
    assert [forth[f"average_gap.{part}"] for part in PARTS] == pytest.approx(
        [-back[f"average_gap.{part}"] for part in PARTS]
    )
