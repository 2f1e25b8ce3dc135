"""What every metric in the catalogue keeps to. A new one is tested by being listed."""

import re
from dataclasses import replace
from typing import get_args

import numpy as np
import pytest
import torch
from pydantic import TypeAdapter

from unlearn_core import metrics
from unlearn_core.errors import ConfigurationError, UsageError
from unlearn_core.records.base import canonical_json

from . import known, world

every_metric = pytest.mark.parametrize("kind", metrics.CATALOGUE, ids=lambda kind: kind.__name__)
every_scope = pytest.mark.parametrize("sample_scope", [False, True], ids=["classes", "samples"])


def values(metric, subject, seed=0):
    return {entry.name: entry.value for entry in metric.measure(subject, seed=seed)}


@every_metric
def test_stands_in_the_file_of_its_name(kind):
    assert kind.__module__ == f"unlearn_core.metrics.{kind().name}"


@every_metric
def test_says_what_it_is_and_how_to_read_it(kind):
    assert all((kind.summary, kind.neutral, kind.above, kind.below))
    assert kind.__doc__ != metrics.Metric.__doc__


@every_metric
@every_scope
@pytest.mark.parametrize("lacking", world.OPTIONAL)
def test_measures_nothing_without_what_it_needs(kind, sample_scope, lacking):
    subject = world.ordinary(sample_scope=sample_scope)
    found = kind().measure(replace(subject, **{lacking: None}), seed=0)
    if lacking in kind.needs:
        assert found == ()
    elif lacking not in kind.uses:
        assert found == kind().measure(subject, seed=0)


@every_metric
def test_has_a_meaning_in_the_scopes_that_it_names(kind):
    for sample_scope, scope in enumerate(("classes", "samples")):
        found = kind().measure(world.ordinary(sample_scope=bool(sample_scope)), seed=0)
        assert bool(found) == (scope in kind.scopes)


def test_union_and_default_hold_the_whole_catalogue():
    union, _ = get_args(metrics.AnyMetric)
    assert get_args(union) == metrics.CATALOGUE
    assert tuple(type(metric) for metric in metrics.DEFAULT) == metrics.CATALOGUE


@every_metric
def test_settings_survive_json_with_equal_digest(kind):
    again = TypeAdapter(metrics.AnyMetric).validate_json(kind().canonical(), strict=True)
    assert type(again) is kind
    assert again.digest == kind().digest


@every_metric
def test_misspelt_setting_is_refused_by_name(kind):
    with pytest.raises(ConfigurationError, match="per_clas_"):
        kind.parse(canonical_json({"name": kind().name, "per_clas_": 3}))


@every_metric
@every_scope
def test_same_seed_gives_same_bits(kind, sample_scope):
    subject = world.ordinary(sample_scope=sample_scope)
    assert kind().measure(subject, seed=5) == kind().measure(subject, seed=5)


@every_metric
def test_leaves_outputs_and_global_generators_alone(kind):
    subject, same = world.ordinary(), world.ordinary()
    state, numbers = torch.get_rng_state(), np.random.get_state()[1].copy()
    kind().measure(subject, seed=0)
    for view, said in subject.views.items():
        assert torch.equal(said.logits, same.views[view].logits)
        assert torch.equal(said.features, same.views[view].features)
    assert torch.equal(torch.get_rng_state(), state)
    assert (np.random.get_state()[1] == numbers).all()


@every_metric
@every_scope
def test_names_are_unique_dotted_and_lower_case(kind, sample_scope):
    names = [entry.name for entry in kind().measure(world.ordinary(sample_scope=sample_scope), seed=0)]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z0-9_]+(\.[a-z0-9_]+)+", name) for name in names)


@every_metric
@pytest.mark.parametrize(
    "make", [world.indistinct, world.separated, world.ordinary], ids=lambda make: make.__name__
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
@every_scope
def test_order_of_the_samples_does_not_matter(kind, sample_scope):
    subject = world.ordinary(sample_scope=sample_scope)
    expected = values(kind(), subject)
    assert values(kind(), world.shuffled(subject, seed=1)) == pytest.approx(expected, abs=1e-9)


@every_metric
@every_scope
def test_empty_view_is_refused_by_name_or_not_needed(kind, sample_scope):
    subject = world.ordinary(sample_scope=sample_scope)
    if "views" not in kind.needs or subject.scope not in kind.scopes:
        return
    expected = kind().measure(subject, seed=0)
    needed = [view for view in subject.views if _outcome(kind(), world.emptied(subject, view)) != expected]
    assert needed
    for part, side in needed:
        with pytest.raises(UsageError, match=rf"{part}\.{side}"):
            kind().measure(world.emptied(subject, (part, side)), seed=0)


def _outcome(metric, subject):
    """Return the measurements, or None where the metric refuses."""
    try:
        return metric.measure(subject, seed=0)
    except UsageError:
        return None


@pytest.mark.parametrize(
    "kind", [kind for kind in metrics.CATALOGUE if "views" in kind.needs], ids=lambda kind: kind.__name__
)
def test_subject_without_views_is_refused(kind):
    with pytest.raises(UsageError):
        kind().measure(replace(world.ordinary(), views={}), seed=0)


@every_metric
def test_identical_distributions_give_the_neutral_value(kind):
    subject = world.indistinct() if "classes" in kind.scopes else world.in_sample_scope(world.indistinct())
    found = values(kind(), subject)
    for name, (expected, tolerance) in known.NEUTRAL[kind().name](subject).items():
        assert found[name] == pytest.approx(expected, abs=tolerance + 1e-9), name


@every_metric
def test_separated_distributions_give_the_extreme_value(kind):
    make = known.EXTREME_WORLDS.get(kind().name, world.separated)
    found = values(kind(), make())
    for name, expected in known.EXTREME[kind().name].items():
        assert found[name] == pytest.approx(expected, abs=1e-9), name


@every_metric
@every_scope
@pytest.mark.parametrize("seed", range(2))
def test_equals_the_naive_loop(kind, sample_scope, seed):
    subject = world.ordinary(seed=seed, sample_scope=sample_scope)
    found = values(kind(), subject)
    for name, expected in known.NAIVE[kind().name](subject).items():
        assert found[name] == pytest.approx(expected, abs=1e-6), name
