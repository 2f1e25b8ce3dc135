"""What a person or a machine sees of a result."""

import inspect
import json
import sys
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from unlearn_core.records.adoption import Adopted
from unlearn_core.records.artifact import CheckpointCard
from unlearn_core.records.deletion import Released
from unlearn_core.records.tuning import TuningRecord

KEEP = "git add params.yaml dvc.lock && git commit"

COLOURS = {"passes": "green", "reference": "cyan", "inconclusive": "yellow"}


def print_json(value: Any) -> None:
    """Print one JSON document."""
    print(json.dumps(value, indent=2))


def print_demo(result: dict[str, Any]) -> None:
    """Print the demonstration's table, and where its evidence is."""
    retrained = result["retrained"]
    named = {"original": result["original"], "retrained": retrained, **result["methods"]}
    table = Table(
        title=f"Request {result['request']}: forget the digit 3. Accuracies on the test split, in percent",
        title_justify="left",
    )
    columns = ("model", "forget", "retain", "MIA AUC", "(retrained)", "probe gap", "seconds", "verdict")
    for name in columns:
        table.add_column(name, justify="left" if name in {"model", "verdict"} else "right", no_wrap=True)
    for name, row in named.items():
        if row is not None:
            table.add_row(*_cells(name, row, retrained, accepted=name == result["accepted"]))
    console().print(table)
    print(
        f"accepted     {result['accepted']}\n"
        f"registered   {result['registered_model']} version {result['registered_version']}, alias champion\n"
        f"certificate  {result['certificate']}\n"
        f"model        {result['model']}\n"
        f"took         {result['wall_seconds']:.0f} s\n\n"
        f"verify it    lethe-verify {result['certificate']} --model models/unlearned/model.safetensors\n"
        f"read it      lethe report {result['request']} --open\n"
        "look at it   lethe ui\n"
        f"keep it      {KEEP} -m 'Delete {result['request']}'"
    )


def console() -> Console:
    """Return a console that leaves a table whole where no terminal says how wide it is."""
    return Console() if sys.stdout.isatty() else Console(width=120)


def _cells(name: str, row: dict[str, Any], retrained: dict[str, Any] | None, *, accepted: bool) -> list[str]:
    colour = COLOURS.get(row["verdict"], "red")
    mark = " ← accepted" if accepted else ""
    return [
        name,
        _number(row.get("forget_test_accuracy"), 1),
        _number(row.get("retain_test_accuracy"), 1),
        _number(row.get("mia_auc"), 2),
        "" if retrained is None else f"({_number(retrained['mia_auc'], 2)})",
        _number(row.get("probe_gap"), 2),
        _number(row.get("seconds"), 1),
        f"[{colour}]{row['verdict'].replace('_', '-')}[/{colour}]{mark}",
    ]


def _number(value: float | None, digits: int) -> str:
    return "–" if value is None else f"{value:.{digits}f}"


def print_released(*released: Released) -> None:
    """Print what came of a deletion, maybe of several requests, and how to keep and continue it."""
    outcome, shared = released[0].outcome, released[0]
    served = outcome.request if shared.group is None else shared.group.id
    certificates = "\n".join(f"certificate  {one.certificate}" for one in released)
    print(
        f"request      {served}: {outcome.verdict}, evidence level {outcome.level}\n"
        f"method       {outcome.method}\n"
        f"registered   {shared.registered_model} version {shared.registered_version}, alias champion\n"
        f"{certificates}\n"
        f"model        {outcome.model}"
    )
    if outcome.note:
        print(f"note         {outcome.note}")
    print(f"\nread it      lethe report {outcome.request} --open")
    print(f"keep it      {KEEP} -m 'Delete {served}'\ngo on        lethe next")


def print_checkpoint(card: CheckpointCard) -> None:
    """Print which model deletions start from."""
    print(f"parent {card.architecture.name}, {card.weights}, trained on {card.data}")


def print_adopted(adopted: Adopted) -> None:
    """Print what was adopted, what was found, and how to go on."""
    claimed = "nothing was claimed" if adopted.claimed is None else f"claimed were {adopted.claimed:.2%}"
    print(
        f"adopted      {adopted.architecture}, {adopted.weights}\n"
        f"accuracy     {adopted.accuracy:.2%} of {adopted.samples} held-out images; {claimed}\n"
        f"registered   {adopted.registered_model} version {adopted.registered_version}, alias champion\n"
        f"judged       policy.reference is {adopted.reference} (params.yaml)\n\n"
        "go on        lethe delete r-1 --class NAME\n"
        f"keep it      git add params.yaml dvc.lock models/generations && git commit -m 'Adopt a model'"
    )


def print_next(model: Path, data: Path) -> None:
    """Print what the next request starts from, and what git should keep of it."""
    print(f"the next request starts from {model} and {data}")
    print(
        f"keep it: git add params.yaml {model.parent}/*.dvc {data.parent}/*.dvc && "
        "git commit -m 'Continue from the champion'"
    )


def print_checked(checked: list[dict[str, str]]) -> None:
    """Print which certificates were verified."""
    print(
        "\n".join(f"{entry['result']:<10} {entry['request']}" for entry in checked)
        or "no certificates here yet"
    )


def print_tuning(record: TuningRecord, *, rows: int = 10) -> None:
    """Print the best trials of a search, what was chosen and what it cost."""
    names = list(record.space)
    table = Table()
    for name in ("score", *names, "seconds", "state"):
        table.add_column(name, justify="left" if name == "state" else "right")
    ranked = sorted(record.trials, key=lambda one: (one.score is None, -(one.score or 0)))
    for one in ranked[:rows]:
        values = (str(one.values[name]) for name in names)
        table.add_row(_number(one.score, 4), *values, _number(one.cost.seconds, 1), one.state)
    console().print(table)
    chosen = ", ".join(f"{name} {value}" for name, value in record.chosen.items())
    print(
        f"as it was    {_number(record.untuned, 4)}\n"
        f"written      {chosen or 'nothing: no trial did better'}\n"
        f"took         {record.cost.seconds:.0f} s in {len(record.trials)} trials, "
        f"{record.cost.samples_seen} samples seen"
    )


def describe_methods() -> list[dict[str, Any]]:
    """Return every method in the catalogue, as JSON values."""
    from unlearn_core.methods import CATALOGUE

    return [
        {
            "name": kind.model_fields["name"].default,
            "summary": kind.summary,
            "needs": sorted(kind.needs),
            "uses": sorted(kind.uses),
            "touches": kind.touches,
            "scopes": sorted(kind.scopes),
            "settings": [name for name in kind.model_fields if name != "name"],
            "space": {name: found.model_dump(mode="json") for name, found in kind.space.items()},
            "description": inspect.cleandoc(kind.__doc__ or ""),
        }
        for kind in CATALOGUE
    ]


def print_methods() -> None:
    """Print every method in the catalogue as a table."""
    table = Table(show_lines=True)
    for name in ("method", "what it does", "needs", "uses if there", "touches", "forgets"):
        table.add_column(name)
    for row in describe_methods():
        lists = (", ".join(row[name]) or "–" for name in ("needs", "uses"))
        table.add_row(row["name"], row["summary"], *lists, row["touches"], ", ".join(row["scopes"]))
    console().print(table)
    print("`lethe methods --json` tells each one's settings and paper")


def print_keys(home: Path, made: tuple[Path, ...]) -> None:
    """Print which keys were made."""
    print("\n".join(f"made {path}" for path in made) or f"all keys are in {home} already; nothing was made")
