"""What every metric in the catalogue keeps to. A new one is tested by being listed."""

import re

import numpy as np
import pytest

from unlearn_core import metrics
from unlearn_core.conformance import subjects
from unlearn_core.conformance.metrics import CHECKS

from . import known

every_metric = pytest.mark.parametrize("kind", metrics.CATALOGUE, ids=lambda kind: kind.__name__)
every_scope = pytest.mark.parametrize("sample_scope", [False, True], ids=["classes", "samples"])


def values(metric, subject, seed=0):
    return {entry.name: entry.value for entry in metric.measure(subject, seed=seed)}


@every_metric
def test_stands_in_the_file_of_its_name(kind):
    assert kind.__module__ == f"unlearn_core.metrics.{kind().name}"


def test_the_pipeline_measures_the_whole_catalogue():
    assert tuple(type(metric) for metric in metrics.DEFAULT) == metrics.CATALOGUE


@every_metric
def test_it_is_read_by_its_name(kind):
    assert type(metrics.parse_metric({"name": kind().name})) is kind


@every_metric
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_it(kind, check):
    assert list(check(kind())) == []


@every_metric
@pytest.mark.parametrize(
    "make", [subjects.indistinct, subjects.separated, subjects.ordinary], ids=lambda make: make.__name__
)
def test_interval_contains_the_value(kind, make):
    for entry in kind().measure(make(), seed=0):
        if re.fullmatch(known.WITHOUT_INTERVAL, entry.name):
            assert entry.low is entry.high is None
        else:
            assert entry.low <= entry.value <= entry.high, entry
            assert entry.samples > 0


@every_metric
@pytest.mark.parametrize("make", known.WORLDS, ids=lambda make: make.__name__)
def test_every_number_is_finite(kind, make):
    found = kind().measure(make(), seed=0)
    numbers = [number for entry in found for number in (entry.value, entry.low, entry.high)]
    assert np.isfinite([number for number in numbers if number is not None]).all()


@every_metric
def test_identical_distributions_give_the_neutral_value(kind):
    subject = (
        subjects.indistinct() if "classes" in kind.scopes else subjects.in_sample_scope(subjects.indistinct())
    )
    found = values(kind(), subject)
    for name, (expected, tolerance) in known.NEUTRAL[kind().name](subject).items():
        assert found[name] == pytest.approx(expected, abs=tolerance + 1e-9), name


@every_metric
def test_separated_distributions_give_the_extreme_value(kind):
    make = known.EXTREME_WORLDS.get(kind().name, subjects.separated)
    found = values(kind(), make())
    for name, expected in known.EXTREME[kind().name].items():
        assert found[name] == pytest.approx(expected, abs=1e-9), name


@every_metric
@every_scope
@pytest.mark.parametrize("seed", range(2))
def test_equals_the_naive_loop(kind, sample_scope, seed):
    subject = subjects.ordinary(seed=seed, sample_scope=sample_scope)
    found = values(kind(), subject)
    for name, expected in known.NAIVE[kind().name](subject).items():
        assert found[name] == pytest.approx(expected, abs=1e-6), name
