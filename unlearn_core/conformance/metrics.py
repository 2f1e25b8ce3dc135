"""Checks that every metric passes, on subjects whose numbers need not be known."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from math import isclose, isfinite
from typing import Any

import torch

from unlearn_core.conformance import subjects
from unlearn_core.conformance.checking import Check, numpy_state
from unlearn_core.errors import ConfigurationError, UsageError
from unlearn_core.metric import Metric, Subject
from unlearn_core.metrics import CATALOGUE, parse_metric
from unlearn_core.observations import View
from unlearn_core.records.evaluation import Measurement

MEASURED = re.compile(r"[a-z0-9_]+(\.[a-z0-9_]+)+")
"""What a measurement may be called; the names of layers and classes are the model's own."""

OF_ALL: tuple[Callable[[], Subject], ...] = (
    subjects.ordinary,
    subjects.indistinct,
    subjects.separated,
    lambda: subjects.ordinary(sample_scope=True),
)
"""Makes each subject that a metric is run on."""


def _read_metric(kind: type[Metric], raw: bytes | Mapping[str, Any]) -> Metric:
    """Read a metric from its JSON, whether it is in Lethe's catalogue or not."""
    return parse_metric(raw, () if kind in CATALOGUE else (kind,))


def _both_scopes() -> Iterator[Subject]:
    yield subjects.ordinary()
    yield subjects.ordinary(sample_scope=True)


def says_what_it_measures(metric: Metric) -> Iterator[str]:
    """In the documentation, and how to read its numbers."""
    if not metric.__doc__ or metric.__doc__ == Metric.__doc__:
        yield "the class has no docstring; say what it measures, in which unit, and what its traps are"
    for name in ("summary", "neutral", "above", "below"):
        if not getattr(metric, name):
            yield f"`{name}` is empty"


def has_plain_words_for_what_it_measures(metric: Metric) -> Iterator[str]:
    """The report explains each number to people."""
    names = [entry.name for subject in _both_scopes() for entry in metric.measure(subject, seed=0)]
    known = tuple(f"{name}." for name in metric.words)
    for name in dict.fromkeys(name for name in names if not f"{name}.".startswith(known)):
        yield f"`words` has nothing for {name}"


def measures_nothing_without_what_it_needs(metric: Metric) -> Iterator[str]:
    """What was not observed leaves a metric out, and what it neither needs nor uses changes nothing."""
    for subject in _both_scopes():
        whole = metric.measure(subject, seed=0)
        for lacking in subjects.OPTIONAL:
            found = metric.measure(replace(subject, **{lacking: None}), seed=0)
            if lacking in metric.needs and found:
                yield f"in the scope {subject.scope} it measured {_names(found)} without `{lacking}`"
            if lacking not in metric.needs | metric.uses and found != whole:
                yield f"in the scope {subject.scope} it reads `{lacking}`, which it does not declare"


def measures_in_the_scopes_that_it_names_and_in_no_other(metric: Metric) -> Iterator[str]:
    """A number that means nothing is not reported."""
    for subject in _both_scopes():
        found = metric.measure(subject, seed=0)
        if bool(found) != (subject.scope in metric.scopes):
            yield f"in the scope {subject.scope} it measured {_names(found)}; `scopes` says otherwise"


def survives_json(metric: Metric) -> Iterator[str]:
    """The policy that names a metric is part of each certificate."""
    again = _read_metric(type(metric), metric.canonical())
    if type(again) is not type(metric) or again.digest != metric.digest:
        yield f"{metric!r} came back from its JSON as {again!r}"


def refuses_a_misspelt_setting_by_name(metric: Metric) -> Iterator[str]:
    """A setting that nobody reads is never let through."""
    try:
        _read_metric(type(metric), {"name": metric.name, "per_clas_": 3})
    except ConfigurationError as error:
        if "per_clas_" not in str(error):
            yield f"the message does not name the setting: {error}"
    else:
        yield 'the setting `per_clas_` was accepted; leave `extra="forbid"` in the configuration'


def measures_the_same_with_the_same_seed(metric: Metric) -> Iterator[str]:
    """An evaluation can be repeated."""
    for subject in _both_scopes():
        if metric.measure(subject, seed=5) != metric.measure(subject, seed=5):
            yield f"in the scope {subject.scope} the same seed gave other numbers"


def leaves_outputs_and_generators_alone(metric: Metric) -> Iterator[str]:
    """The next metric sees the same."""
    subject, same = subjects.ordinary(), subjects.ordinary()
    state, numbers = torch.get_rng_state(), numpy_state()
    metric.measure(subject, seed=0)
    for view, said in subject.views.items():
        as_it_was = same.views[view]
        if not torch.equal(said.logits, as_it_was.logits) or not torch.equal(
            said.features, as_it_was.features
        ):
            yield f"it changed what the model says of {'.'.join(view)}"
    if not torch.equal(torch.get_rng_state(), state):
        yield "torch's global generator has moved; use a generator with its own seed"
    if numpy_state() != numbers:
        yield "numpy's global generator has moved; use np.random.default_rng(seed)"


def gives_each_measurement_a_dotted_name_of_its_own(metric: Metric) -> Iterator[str]:
    """Policies and reports find a measurement by its name."""
    for subject in _both_scopes():
        names = [entry.name for entry in metric.measure(subject, seed=0)]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            yield f"measured more than once: {', '.join(twice)}"
        if odd := [name for name in names if MEASURED.fullmatch(name) is None]:
            yield f"not dotted lower-case names: {', '.join(odd)}"


def gives_finite_numbers_within_their_intervals(metric: Metric) -> Iterator[str]:
    """A number that has an interval also says on how many samples it rests."""
    for make in OF_ALL:
        for entry in metric.measure(make(), seed=0):
            given = [number for number in (entry.value, entry.low, entry.high) if number is not None]
            if not all(map(isfinite, given)):
                yield f"{entry.name} is not finite: {entry!r}"
            elif (entry.low is None) != (entry.high is None):
                yield f"{entry.name} has an interval with one end"
            elif entry.low is not None and entry.high is not None:
                if not entry.low <= entry.value <= entry.high:
                    yield f"{entry.name} = {entry.value} is not within [{entry.low}, {entry.high}]"
                if not entry.samples or entry.samples < 0:
                    yield f"{entry.name} has an interval but does not say on how many samples it rests"


def measures_the_same_in_any_order_of_the_samples(metric: Metric) -> Iterator[str]:
    """Samples have no order."""
    for subject in _both_scopes():
        expected = {entry.name: entry.value for entry in metric.measure(subject, seed=0)}
        moved = subjects.shuffled(subject, seed=1)
        found = {entry.name: entry.value for entry in metric.measure(moved, seed=0)}
        if found.keys() != expected.keys():
            yield f"in the scope {subject.scope} other measurements were taken in another order"
            continue
        for name, value in expected.items():
            if not isclose(found[name], value, rel_tol=1e-6, abs_tol=1e-9):
                yield f"{name} is {value} in one order and {found[name]} in another"


def refuses_an_empty_view_by_name(metric: Metric) -> Iterator[str]:
    """Nothing can be measured on no samples."""
    for subject in _both_scopes():
        if "views" not in metric.needs or subject.scope not in metric.scopes:
            continue
        expected = metric.measure(subject, seed=0)
        outcomes = {view: _outcome(metric, subjects.emptied(subject, view)) for view in subject.views}
        needed = {view: found for view, found in outcomes.items() if found != expected}
        if not needed:
            yield f"in the scope {subject.scope} it reads no view; leave `views` out of `needs`"
        for (part, side), found in needed.items():
            if not isinstance(found, str) or f"{part}.{side}" not in found:
                yield f"with an empty {part}.{side} it gave {found!r}, not a UsageError that names it"


def _outcome(metric: Metric, subject: Subject) -> tuple[Measurement, ...] | str:
    """Return the measurements, or the message with which the metric refuses."""
    try:
        return metric.measure(subject, seed=0)
    except UsageError as error:
        return str(error)


def refuses_a_subject_without_views(metric: Metric) -> Iterator[str]:
    """If it needs any."""
    nothing: dict[View, subjects.Outputs] = {}
    if "views" in metric.needs and not isinstance(
        found := _outcome(metric, replace(subjects.ordinary(), views=nothing)), str
    ):
        yield f"it measured {_names(found)} without any view; expected a UsageError"


def _names(found: tuple[Measurement, ...]) -> str:
    return ", ".join(entry.name for entry in found[:5]) or "nothing"


CHECKS: tuple[Check, ...] = (
    says_what_it_measures,
    has_plain_words_for_what_it_measures,
    measures_nothing_without_what_it_needs,
    measures_in_the_scopes_that_it_names_and_in_no_other,
    survives_json,
    refuses_a_misspelt_setting_by_name,
    measures_the_same_with_the_same_seed,
    leaves_outputs_and_generators_alone,
    gives_each_measurement_a_dotted_name_of_its_own,
    gives_finite_numbers_within_their_intervals,
    measures_the_same_in_any_order_of_the_samples,
    refuses_an_empty_view_by_name,
    refuses_a_subject_without_views,
)
"""Checks of a metric, with its settings at their defaults."""
