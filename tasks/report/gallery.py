"""Which figures a report has, and a description of each."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from tasks.report.attempt_figures import TREATMENT_STYLES
from tasks.report.figures import (
    draw_attack,
    draw_classes,
    draw_confusion,
    draw_costs,
    draw_histogram,
    draw_interval_rows,
    draw_layers,
    draw_relearning,
    draw_series,
)
from tasks.report.headline import forgotten_thing, last_rung
from tasks.report.inline import Drawing, inline
from tasks.report.model_figures import MODELS
from tasks.report.numbers import counted, decimal, duration, interval, percent
from tasks.report.summary import relearned_after
from tasks.report.tables import evaluations
from tasks.report.vocabulary import curve_words
from unlearn_core.records.base import canonical_json
from unlearn_core.records.evaluation import Measurement
from unlearn_core.records.report import Picture, ReportFacts

_MOST_CLASSES = 60
"""With more classes bars are unreadable, and the table says the same."""

_SHOWN = {
    "kind", "named", "classes", "forgotten_classes", "earlier", "deletion", "pictures", "costs",
}  # fmt: skip
"""The only facts that a figure may be drawn from: those that the requests of one group have in common."""

Gallery = Mapping[str, list[Drawing]]


@dataclass(frozen=True)
class _Shown:
    """What figures are drawn from; equal if the figures are."""

    key: bytes
    facts: ReportFacts = field(compare=False)


def gallery(facts: ReportFacts) -> Gallery:
    """Return the figures of a report by place; a place without data has none.

    Drawing them takes nearly all of the time that a report takes, so requests that were served together,
    whose figures are the same, have them drawn once.
    """
    key = canonical_json(facts.model_dump(mode="json", include=_SHOWN))
    return drawn_gallery(
        _Shown(key, ReportFacts.model_construct(**{name: getattr(facts, name) for name in _SHOWN}))
    )


@lru_cache(maxsize=2)
def drawn_gallery(shown: _Shown) -> Gallery:
    """Draw every figure, unless that was just done."""
    facts = shown.facts
    return {
        "classes": _classes(facts),
        "confidence": _confidences(facts),
        "attack": _attack(facts),
        "confusion": _confusions(facts),
        "probe": _probe(facts),
        "relearning": _relearning(facts),
        "layers": _layers(facts),
        "curves": _curves(facts),
        "costs": _costs(facts),
    }


def _classes(facts: ReportFacts) -> list[Drawing]:
    names = [f"accuracy.test.class.{index}" for index in range(len(facts.classes))]
    models = evaluations(facts.deletion)
    values = {model: [_value(found.get(name)) for name in names] for model, found in models.items()}
    if len(names) > _MOST_CLASSES or not any(value is not None for row in values.values() for value in row):
        return []
    remarks = [facts.class_remarks.get(index, "") for index in range(len(names))]
    description = "One bar per class and model; a table holds the same numbers."
    for index in facts.forgotten_classes:
        told = _side_by_side({model: row[index] for model, row in values.items()})
        description += f" Class {facts.classes[index]}, which was to be forgotten: {told}."
    figure = draw_classes(values, facts.classes, remarks)
    title = "How often each model is right, class by class"
    return [inline(figure, name="classes", title=title, description=description)]


def _confidences(facts: ReportFacts) -> list[Drawing]:
    drawings = []
    for model, picture in _pictures(facts).items():
        sure = picture.forgotten[-1] / max(sum(picture.forgotten), 1)
        unsure = picture.forgotten[0] / max(sum(picture.forgotten), 1)
        description = (
            f"Of the forgotten samples, {percent(sure)} get a probability of 95\u202f% or more for their "
            f"right class, and {percent(unsure)} one below 5\u202f%. Compare the never-seen samples."
        )
        name = f"confidence-{model}"
        drawings.append(
            inline(draw_histogram(picture), name=name, title=model.capitalize(), description=description)
        )
    return drawings


def _attack(facts: ReportFacts) -> list[Drawing]:
    if not (pictures := {model: one for model, one in _pictures(facts).items() if one.members}):
        return []
    models = evaluations(facts.deletion)
    found = {model: models[model].get("mia.loss_auc") for model in pictures}
    aucs = {
        model: f"{decimal(entry.value)} {interval(entry, decimal)}".strip()
        for model, entry in found.items()
        if entry is not None
    }
    told = "; ".join(f"{model} {area}" for model, area in aucs.items())
    description = f"The area under each curve, with its 95\u202f% interval: {told}. 0.50 is guessing."
    title = "Hits and false alarms of an attacker"
    return [inline(draw_attack(pictures, aucs), name="attack", title=title, description=description)]


def _confusions(facts: ReportFacts) -> list[Drawing]:
    drawings = []
    for model, picture in _pictures(facts).items():
        if not picture.confusion:
            return []
        figure = draw_confusion(picture, facts.classes, MODELS[model]["color"])
        description = f"{_taken_for(facts, picture.confusion)} Each row adds up to 100\u202f%."
        name = f"confusion-{model}"
        drawings.append(inline(figure, name=name, title=model.capitalize(), description=description))
    return drawings


def _taken_for(facts: ReportFacts, confusion: tuple[tuple[int, ...], ...]) -> str:
    """Describe what a model takes the forgotten classes for, or else how often it is right."""
    told = []
    for index in facts.forgotten_classes:
        row = confusion[index]
        if sum(row):
            best = max(range(len(row)), key=row.__getitem__)
            share = percent(row[best] / sum(row))
            name, most = facts.classes[index], facts.classes[best]
            told.append(f"Test images of class {name} are mostly taken for {most} ({share}).")
    right = sum(row[index] for index, row in enumerate(confusion)) / max(sum(map(sum, confusion)), 1)
    return " ".join(told) or f"{percent(right)} of all test images are classified correctly."


def _probe(facts: ReportFacts) -> list[Drawing]:
    found = {
        model: evaluation.get("probe.accuracy") for model, evaluation in evaluations(facts.deletion).items()
    }
    rows: Mapping[str, Measurement] = {model: entry for model, entry in found.items() if entry is not None}
    if not rows:
        return []
    told = _side_by_side({model: entry.value for model, entry in rows.items()})
    label = "accuracy on the forgotten data [%]"
    figure = draw_interval_rows(rows, label=label, limits=(-2, 102))
    title = "What the inner representation still knows"
    return [
        inline(
            figure, name="probe", title=title, description=f"Points with their 95\u202f% intervals: {told}."
        )
    ]


def _relearning(facts: ReportFacts) -> list[Drawing]:
    looked = {model: one for model, one in _pictures(facts).items() if one.relearn_steps}
    if not looked:
        return []
    told = "; ".join(
        f"{model} {percent(one.relearn_accuracy[0])} at first, {percent(one.relearn_accuracy[-1])} after "
        f"{counted(one.relearn_steps[-1], 'step', 'steps')}"
        for model, one in looked.items()
    )
    arrived = relearned_after(evaluations(facts.deletion))
    rings = "; ".join(f"{model} after {counted(steps, 'step', 'steps')}" for model, steps in arrived.items())
    about = f" A ring marks where a model counts as knowing it again: {rings}." if rings else ""
    title = "How fast each model relearns the forgotten data"
    figure = draw_relearning(looked, arrived)
    return [inline(figure, name="relearning", title=title, description=f"{told}.{about}")]


def _layers(facts: ReportFacts) -> list[Drawing]:
    rung = last_rung(facts.deletion)
    if rung is None or not rung.unlearning.coverage.parameters:
        return []
    coverage = rung.unlearning.coverage
    told = ", ".join(f"{percent(coverage.share(part))} {part}" for part in TREATMENT_STYLES)
    figure = draw_layers(coverage)
    title = "What the method did with each layer"
    return [inline(figure, name="layers", title=title, description=f"Of all parameters: {told}.")]


def _curves(facts: ReportFacts) -> list[Drawing]:
    """Draw what the method recorded step by step."""
    rung = last_rung(facts.deletion)
    drawings = []
    for place, curve in enumerate(() if rung is None else rung.unlearning.curves):
        if len(curve.values) < 2:
            continue
        title, _ = curve_words(curve.name)
        figure = draw_series(curve.values, label=title.partition(",")[0].lower())
        description = f"From {curve.values[0]:.4g} to {curve.values[-1]:.4g} in {len(curve.values)} steps."
        drawings.append(inline(figure, name=f"curve-{place}", title=title, description=description))
    return drawings


def _costs(facts: ReportFacts) -> list[Drawing]:
    shown = {name: cost.seconds for name, cost in facts.costs.items() if name != "original"}
    if not shown or not max(shown.values()):
        return []
    told = "; ".join(f"{name} {duration(seconds)}" for name, seconds in shown.items())
    figure = draw_costs(shown)
    title = f"What it took to forget {forgotten_thing(facts)}"
    return [inline(figure, name="costs", title=title, description=f"{told}.")]


def _pictures(facts: ReportFacts) -> dict[str, Picture]:
    """Return the models' pictures in the usual order of models."""
    there = {} if facts.pictures is None else facts.pictures.models
    return {model: there[model] for model in MODELS if model in there}


def _value(entry: Measurement | None) -> float | None:
    return None if entry is None else entry.value


def _side_by_side(values: Mapping[str, float | None]) -> str:
    return ", ".join(f"{model} {percent(value)}" for model, value in values.items() if value is not None)
