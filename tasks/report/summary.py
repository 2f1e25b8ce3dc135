"""The four numbers at the top of the page."""

from collections.abc import Mapping
from dataclasses import dataclass

from tasks.report.headline import last_rung
from tasks.report.numbers import Style, counted, decimal, duration, interval, percent, times
from tasks.report.tables import evaluations
from unlearn_core.own_names import LAST_RESORT
from unlearn_core.records.evaluation import Evaluation
from unlearn_core.records.report import ReportFacts


@dataclass(frozen=True)
class Tile:
    """One number with its name, and the numbers to compare it with."""

    name: str
    value: str
    interval: str
    compared: tuple[tuple[str, str], ...]
    remark: str


_HELD_OUT = "On images that no model was trained on."


def tiles(facts: ReportFacts) -> list[Tile]:
    """Return the numbers that a reader asks for first, if they were measured."""
    forget = "accuracy.test.forget"
    in_training = evaluations(facts.deletion)["original"].get(forget) is None
    name = "accuracy.train.forget" if in_training else forget
    remark = "On the images that were to be forgotten." if in_training else _HELD_OUT
    if (accepted := facts.deletion.accepted) and accepted.unlearning.name == LAST_RESORT:
        remark += " This model never learned from them: what it gets right it knows from the others."
    found = (
        _measured(facts, name, "Right about what was forgotten", percent, remark),
        _measured(facts, "accuracy.test.retain", "Right about everything else", percent, _HELD_OUT),
        _measured(
            facts, "mia.loss_auc", "Attacker’s success", decimal, "0.50 is guessing, 1.00 always right."
        ),
        _cost(facts),
    )
    return [tile for tile in found if tile is not None]


def relearned_after(models: Mapping[str, Evaluation]) -> dict[str, int]:
    """Return the steps after which each model that was taught the forgotten data knew it again."""
    found = {model: evaluation.find("relearn.steps") for model, evaluation in models.items()}
    return {
        model: round(steps)
        for model, steps in found.items()
        if steps is not None and not models[model].find("relearn.censored")
    }


def fast_relearning(models: Mapping[str, Evaluation]) -> tuple[str, str] | None:
    """Return the steps that the unlearned and the retrained model need, if the former needs under half."""
    found = [
        steps
        for model in ("unlearned", "retrained")
        if model in models and (steps := models[model].find("relearn.steps")) is not None
    ]
    if len(found) < 2 or found[0] >= found[1] / 2:
        return None
    mine, theirs = (counted(round(steps), "step", "steps") for steps in found)
    is_bound = models["retrained"].find("relearn.censored")
    return mine, f"more than {theirs}" if is_bound else theirs


def _measured(facts: ReportFacts, name: str, title: str, style: Style, remark: str) -> Tile | None:
    """Show a measurement of the unlearned model beside those of the others."""
    models = evaluations(facts.deletion)
    entries = {model: found.get(name) for model, found in models.items()}
    if (main := entries.get("unlearned")) is None:
        return None
    compared = tuple(
        (model, style(entry.value)) for model, entry in entries.items() if entry and model != "unlearned"
    )
    return Tile(title, style(main.value), interval(main, style), compared, remark)


def _cost(facts: ReportFacts) -> Tile | None:
    """Show the cost of the accepted method beside that of retraining."""
    rung = last_rung(facts.deletion)
    cost = None if rung is None else facts.costs.get(rung.unlearning.name)
    if cost is None:
        return None
    retrained = facts.costs.get("retrained")
    compared = () if retrained is None else (("retraining", duration(retrained.seconds)),)
    remark = "Time of the last method on the ladder."
    if retrained is not None and cost.seconds < retrained.seconds:
        remark = f"{times(retrained.seconds / cost.seconds)} times as fast as retraining."
    return Tile("Time to forget", duration(cost.seconds), "", compared, remark)
