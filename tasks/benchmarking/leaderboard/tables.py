"""A leaderboard as two tidy tables: one row per method and metric, and one per case and method."""

from tasks.checkout.csv_tables import as_csv
from unlearn_core.ranking import QUANTITIES
from unlearn_core.records.benchmark import Leaderboard

GAPS = ("kind", "method", "metric", "gap", "low", "high", "cases")
CASE = (
    "kind",
    "forget",
    "rows",
    "seed",
    "method",
    "outcome",
    "removed",
    "why",
    "seconds",
    "retraining_seconds",
)


def gaps_csv(board: Leaderboard) -> str:
    """Write one row per kind of forget set, method and metric; one case has no ``low`` and ``high``."""
    rows = [
        (one.kind, one.method, entry.name, entry.value, entry.low, entry.high, entry.samples)
        for one in board.standings
        for entry in one.means
    ]
    return as_csv(GAPS, rows)


def rows_csv(board: Leaderboard) -> str:
    """Write one row per case and method: the outcome, the times, and of each metric both values."""
    header = [*CASE, *(f"{side}.{name}" for name in QUANTITIES for side in ("method", "retrained"))]
    rows = []
    for row in board.rows:
        told = (
            row.forget.kind,
            row.forget.name,
            row.forget.rows,
            row.seed,
            row.method,
            row.outcome,
            row.removed,
            row.why,
        )
        values = (side.get(name) for name in QUANTITIES for side in (row.values, row.retrained))
        rows.append((*told, row.seconds, row.retraining_seconds, *values))
    return as_csv(header, rows)
