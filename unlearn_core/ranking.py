"""From the rows of a comparison to its leaderboard: gaps to retrained models, with intervals over cases.

A row holds a method and the model that was retrained for the same forget set and seed, so every gap is
paired. Means over cases have Student's t intervals; a single case has none. Cases of one forget set, and all
cases on one parent, are not quite independent: the intervals speak of seeds and forget sets like these.
"""

import math
from collections.abc import Sequence

import numpy as np

from unlearn_core import intervals
from unlearn_core.records.benchmark import BenchmarkRow, ForgetKind, MethodSummary, RunOutcome
from unlearn_core.records.evaluation import Measurement

AVERAGE_GAP = "average_gap.mean"
COST = "cost.share_of_retraining"
QUANTITIES = (
    "accuracy.train.forget",
    "accuracy.test.forget",
    "accuracy.train.retain",
    "accuracy.test.retain",
    "mia.loss_auc",
    "svc_salun.non_members.train.forget",
    "probe.accuracy",
    "relearn.ratio",
    "neighbour_leakage.train.forget",
)
"""The measurements whose gaps are reported, in this order; all but the ratios lie between 0 and 1."""

RATIOS = {"relearn.ratio"}
"""Those of them without an upper bound."""


def rank(rows: Sequence[BenchmarkRow]) -> tuple[MethodSummary, ...]:
    """Order methods on each kind of forget set by their average gap, the smallest first.

    Args:
        rows: One per case and method.

    Returns:
        The summaries, kinds in the order in which they come; methods that were never measured are last, and
        ties are in the order of their names.
    """
    kinds = dict.fromkeys(row.forget.kind for row in rows)
    return tuple(one for kind in kinds for one in _ranked([row for row in rows if row.forget.kind == kind]))


def _ranked(rows: list[BenchmarkRow]) -> list[MethodSummary]:
    methods = sorted({row.method for row in rows})
    found = [summarise(rows[0].forget.kind, name, [r for r in rows if r.method == name]) for name in methods]
    return sorted(found, key=lambda one: math.inf if one.average_gap is None else one.average_gap.value)


def summarise(kind: ForgetKind, method: str, rows: Sequence[BenchmarkRow]) -> MethodSummary:
    """Sum up one method's cases on one kind of forget set.

    Args:
        kind: Of the forget sets.
        method: The method's name.
        rows: Its cases, failures included.

    Returns:
        The summary.
    """
    outcomes: dict[RunOutcome, int] = {}
    for row in rows:
        outcomes[row.outcome] = outcomes.get(row.outcome, 0) + 1
    found = [gap for name in QUANTITIES if (gap := gap_of(rows, name)) is not None]
    averages = [row.values[AVERAGE_GAP] for row in rows if AVERAGE_GAP in row.values]
    shares = [row.seconds / row.retraining_seconds for row in rows if row.seconds and row.retraining_seconds]
    return MethodSummary(
        kind=kind,
        method=method,
        cases=len(rows),
        gaps=tuple(found),
        average_gap=mean_of(averages, AVERAGE_GAP, lowest=0.0),
        cost=mean_of(shares, COST, lowest=0.0),
        outcomes=outcomes,
        removed=_both_shown(rows),
    )


def _both_shown(rows: Sequence[BenchmarkRow]) -> int | None:
    """Return in how many cases both claims were shown; None if the second was judged in none."""
    judged = [row for row in rows if row.removed is not None]
    return sum(row.outcome == row.removed == "passes" for row in judged) if judged else None


def gap_of(rows: Sequence[BenchmarkRow], name: str) -> Measurement | None:
    """Return the mean gap, method minus retrained, over the rows that have both; None if none has.

    Args:
        rows: Cases of one method.
        name: The measurement.

    Returns:
        The mean with its interval; ``samples`` is the number of cases.
    """
    highest = math.inf if name in RATIOS else 1.0
    gaps = [
        row.values[name] - row.retrained[name] for row in rows if name in row.values.keys() & row.retrained
    ]
    return mean_of(gaps, name, lowest=-1.0, highest=highest)


def mean_of(
    values: Sequence[float], name: str, *, lowest: float, highest: float = math.inf
) -> Measurement | None:
    """Return the mean over cases with Student's t interval; None without a case.

    Args:
        values: One per case.
        name: The mean's name.
        lowest: The smallest value that the quantity can have.
        highest: The largest.

    Returns:
        The mean; a single case has no interval.
    """
    if not values:
        return None
    found = np.array(values, dtype=np.float64)
    return intervals.mean(found, lowest=lowest, highest=highest).named(name)
