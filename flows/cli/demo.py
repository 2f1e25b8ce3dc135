"""``lethe demo``: one deletion from end to end, and a table of what was tried."""

from pathlib import Path
from typing import Any

from flows.cli.delete import tell_kept
from flows.cli.options import Json
from flows.cli.output import Output, console, number, table_cell

_COLOURS = {"passes": "green", "reference": "cyan", "inconclusive": "yellow"}


def command(json: Json = False) -> None:
    """Watch a real model forget: the whole pipeline on scanned digits, and the ladder's methods compared.

    Trains a small net, serves the request of `requests/demo.json` (forget the digit 3), registers the
    model, signs the certificate and verifies it. Takes a minute or two on two cores.
    """
    from tasks.checkout.checkout import Checkout
    from tasks.checkout.progress import signs_of_life

    with Checkout.open(Path.cwd()) as checkout, signs_of_life("demo"):
        from flows.demo import run_demo

        result = run_demo(checkout)
    Output(json).give(result, lambda: tell_demo(result))


def tell_demo(result: dict[str, Any]) -> str:
    """Print the demo's table, and return where its evidence is."""
    from rich.table import Table

    named = {"original": result["original"], "retrained": result["retrained"], **result["methods"]}
    table = Table(
        title=f"Request {result['request']}: forget the digit 3. Accuracies on the test split, in percent",
        title_justify="left",
    )
    numbers = ("forget", "retain", "MIA AUC", "probe gap", "relearn", "seconds")
    words = ("model", "behaves", "removed")
    for name in (words[0], *numbers, *words[1:]):
        table.add_column(name, justify="left" if name in words else "right", no_wrap=True)
    for name, row in named.items():
        if row is not None:
            table.add_row(*_cells(name, row, accepted=name == result["accepted"]))
    console().print(table)
    return (
        f"accepted     {result['accepted']}\n"
        f"registered   {result['registered_model']} version {result['registered_version']}, alias champion\n"
        f"certificate  {result['certificate']}\n"
        f"{tell_kept(result['registered_model'], result['request'])}\n"
        f"model        {result['model']}\n"
        f"took         {result['wall_seconds']:.0f} s\n\n"
        f"verify it    lethe-verify {result['certificate']} --model models/unlearned/model.safetensors\n"
        f"read it      lethe report {result['request']} --open\n"
        "view it      lethe ui\n"
        f"keep it      git add params.yaml dvc.lock && git commit -m 'Delete {result['request']}'"
    )


def _cells(name: str, row: dict[str, Any], *, accepted: bool) -> list[str]:
    return [
        f"{table_cell(name)} ←" if accepted else table_cell(name),
        number(row.get("forget_test_accuracy"), 1),
        number(row.get("retain_test_accuracy"), 1),
        number(row.get("mia_auc"), 2),
        number(row.get("probe_gap"), 2),
        number(row.get("relearn_ratio"), 2),
        number(row.get("seconds"), 1),
        _coloured(row["verdict"]),
        _coloured(row.get("removed") or ""),
    ]


def _coloured(verdict: str) -> str:
    colour = _COLOURS.get(verdict, "red")
    return f"[{colour}]{verdict.replace('_', '-')}[/{colour}]" if verdict else ""
