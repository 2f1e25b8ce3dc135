"""A leaderboard as two tidy tables: one row per method and metric, and one per case and method."""

import csv
import io
from collections.abc import Iterable

from unlearn_core.ranking import QUANTITIES
from unlearn_core.records.benchmark import Leaderboard, Standing
from unlearn_core.records.evaluation import Measurement

GAPS = ("kind", "method", "metric", "gap", "low", "high", "cases")
CASE = ("kind", "forget", "rows", "seed", "method", "outcome", "why", "seconds", "retraining_seconds")


def gaps_csv(board: Leaderboard) -> str:
    """Write one row per kind of forget set, method and metric; one case has no ``low`` and ``high``."""
    rows = [
        (one.kind, one.method, entry.name, entry.value, entry.low, entry.high, entry.samples)
        for one in board.standings
        for entry in _means(one)
    ]
    return _csv(GAPS, rows)


def rows_csv(board: Leaderboard) -> str:
    """Write one row per case and method: the outcome, the times, and of each metric both values."""
    header = [*CASE, *(f"{side}.{name}" for name in QUANTITIES for side in ("method", "retrained"))]
    rows = []
    for row in board.rows:
        told = (row.forget.kind, row.forget.name, row.forget.rows, row.seed, row.method, row.outcome, row.why)
        values = (side.get(name) for name in QUANTITIES for side in (row.values, row.retrained))
        rows.append((*told, row.seconds, row.retraining_seconds, *values))
    return _csv(header, rows)


def _means(one: Standing) -> list[Measurement]:
    return [entry for entry in (one.average_gap, *one.gaps, one.cost) if entry is not None]


def _csv(header: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerows([list(header), *(list(row) for row in rows)])
    return stream.getvalue()
