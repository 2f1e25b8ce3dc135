"""Means and counts over the rows of a benchmark, for people."""

import math
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from tasks.report.model_figures import TradeOff
from unlearn_core.intervals import mean

Row = dict[str, Any]

KINDS = {"classes": "classes", "samples": "samples"}
"""The scopes that hold only one kind of target; subjects are canaries or ordinary ones."""
CHOSEN_ON = "chosen on"
"""The kind of classes on which settings were chosen: what is measured there says less."""

QUANTITIES = {
    "forget_test_accuracy": (0.0, 100.0),
    "retain_test_accuracy": (0.0, 100.0),
    "forget_train_accuracy": (0.0, 100.0),
    "mia_auc": (0.0, 1.0),
    "probe_gap": (-1.0, 1.0),
    "relearn_ratio": (0.0, math.inf),
    "seconds": (0.0, math.inf),
    "share_of_retraining": (0.0, math.inf),
}
"""What is summarised, and its bounds, at which intervals are clipped."""


def summarise(rows: list[Row]) -> list[Row]:
    """Summarise rows by scope, kind of target and method.

    Args:
        rows: One per request, seed and model.

    Returns:
        Per group: how many rows; of each quantity the mean, its 95 % interval (Student's t, over requests
        and seeds), the lowest and the highest; how often the gate found that it behaves, how often that
        nothing is left inside as well, and how often it was asked; and how often the ladder accepted it.
    """
    groups: dict[tuple[str, str, str], list[Row]] = {}
    for row in map(_with_share, rows):
        kind = KINDS.get(row["scope"]) or ("canaries" if row["canaries"] else "subject")
        kind = CHOSEN_ON if row.get("chosen_on") else kind
        groups.setdefault((row["scope"], kind, row["method"]), []).append(row)
    return [
        {
            "scope": scope,
            "kind": kind,
            "method": method,
            "requests": len(group),
            **{name: _spread(group, name) for name in QUANTITIES},
            "passes": sum(row["verdict"] == "passes" for row in group),
            "removed": sum(row["verdict"] == row.get("removed") == "passes" for row in group),
            "judged": {
                "passes": sum(row["verdict"] != "reference" for row in group),
                "removed": sum(row.get("removed") is not None for row in group),
            },
            "accepted": sum(row.get("ladder_accepted") == method for row in group),
        }
        for (scope, kind, method), group in groups.items()
    ]


def _with_share(row: Row) -> Row:
    """Add what share of retraining's seconds a model took, where both are known."""
    if not row.get("seconds") or not row.get("retrain_seconds"):
        return row
    return {**row, "share_of_retraining": row["seconds"] / row["retrain_seconds"]}


def _spread(group: list[Row], name: str) -> dict[str, float] | None:
    values = [row[name] for row in group if row.get(name) is not None]
    if not values:
        return None
    lowest, highest = QUANTITIES[name]
    found = mean(np.array(values, dtype=np.float64), lowest=lowest, highest=highest)
    spread = {"mean": found.value, "lowest": min(values), "highest": max(values)}
    if found.low is not None and found.high is not None:
        spread |= {"low": found.low, "high": found.high}
    return spread


def trade_offs(rows: list[Row]) -> dict[str, TradeOff]:
    """Return the accuracies of each model in class scope, as fractions."""
    shown = [row for row in rows if row["scope"] == "classes" and "forget_test_accuracy" in row]
    names = dict.fromkeys(row["method"] for row in shown)
    return {
        name: TradeOff(
            forget_accuracy=[row["forget_test_accuracy"] / 100 for row in shown if row["method"] == name],
            retain_accuracy=[row["retain_test_accuracy"] / 100 for row in shown if row["method"] == name],
        )
        for name in names
    }


def print_summary(summary: list[Row]) -> None:
    """Print a summary as a table of means."""
    table = Table("request", "model", "n", *QUANTITIES, "passes", "removed", "accepted")
    for row in summary:
        means = ("–" if row[name] is None else f"{row[name]['mean']:.2f}" for name in QUANTITIES)
        table.add_row(
            row["kind"],
            row["method"],
            str(row["requests"]),
            *means,
            *(str(row[name]) for name in ("passes", "removed", "accepted")),
        )
    Console(width=150).print(table)
