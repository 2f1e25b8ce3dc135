"""Means and counts over the rows of a benchmark, for people."""

from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

Row = dict[str, Any]

QUANTITIES = (
    "forget_test_accuracy",
    "retain_test_accuracy",
    "forget_train_accuracy",
    "mia_auc",
    "probe_gap",
    "seconds",
)


def summarise(rows: list[Row]) -> list[Row]:
    """Summarise rows by scope, kind of target and method.

    Args:
        rows: One per request, seed and model.

    Returns:
        Per group: how many rows, the mean, the lowest and the highest of each quantity, how often the gate
        passed it, and how often the ladder accepted it.
    """
    groups: dict[tuple[str, str, str], list[Row]] = {}
    for row in rows:
        kind = "classes" if row["scope"] == "classes" else "canaries" if row["canaries"] else "subject"
        groups.setdefault((row["scope"], kind, row["method"]), []).append(row)
    return [
        {
            "scope": scope,
            "kind": kind,
            "method": method,
            "requests": len(group),
            **{name: _spread(group, name) for name in QUANTITIES},
            "passes": sum(row["verdict"] == "passes" for row in group),
            "accepted": sum(row["ladder_accepted"] == method for row in group),
        }
        for (scope, kind, method), group in groups.items()
    ]


def _spread(group: list[Row], name: str) -> dict[str, float] | None:
    values = [row[name] for row in group if row.get(name) is not None]
    if not values:
        return None
    return {"mean": float(np.mean(values)), "lowest": min(values), "highest": max(values)}


def print_summary(summary: list[Row]) -> None:
    """Print a summary as a table of means."""
    table = Table("request", "model", "n", *QUANTITIES, "passes", "accepted")
    for row in summary:
        means = ("–" if row[name] is None else f"{row[name]['mean']:.2f}" for name in QUANTITIES)
        table.add_row(
            row["kind"], row["method"], str(row["requests"]), *means, str(row["passes"]), str(row["accepted"])
        )
    Console(width=150).print(table)
