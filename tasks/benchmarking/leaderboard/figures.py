"""The figures of a leaderboard: for each metric, every method's gap with its interval, around zero."""

from collections.abc import Sequence

from tasks.benchmarking.leaderboard.words import HEADINGS, columns_of, gap_style, with_interval
from tasks.report.drawing import BLACK
from tasks.report.figures import draw_interval_rows, shown
from tasks.report.inline import Drawing, inline
from unlearn_core.records.benchmark import MethodSummary
from unlearn_core.records.evaluation import Measurement


def gap_figures(standings: Sequence[MethodSummary], *, prefix: str) -> list[Drawing]:
    """Draw every metric of one kind of forget set.

    Args:
        standings: The methods, in the order of the page.
        prefix: The prefix of the figures' names on the page.

    Returns:
        One figure per metric that any method has.
    """
    return [_gap_figure(standings, name, prefix) for name in columns_of(standings)]


def _gap_figure(standings: Sequence[MethodSummary], name: str, prefix: str) -> Drawing:
    gaps = {one.method: gap for one in standings if (gap := one.gap(name)) is not None}
    rows = {shown(method): gap for method, gap in gaps.items()}
    label = "gap to retrained × 100"
    figure = draw_interval_rows(rows, label=label, limits=_limits(list(gaps.values())))
    figure.axes[0].axvline(0, color=BLACK, linewidth=1, linestyle=":")
    told = (f"{method} {' '.join(with_interval(gap, gap_style(name)))}" for method, gap in gaps.items())
    return inline(
        figure,
        name=f"{prefix}-{name.replace('.', '-').replace('_', '-')}",
        title=HEADINGS[name][:1].upper() + HEADINGS[name][1:],
        description=f"Mean gap and 95\u202f% interval; 0 is the retrained model. {'; '.join(told)}.",
    )


def _limits(gaps: Sequence[Measurement]) -> tuple[float, float]:
    """Return the axis limits, in hundredths: all points and intervals, zero, and a margin."""
    ends = [100 * end for gap in gaps for end in (gap.value, gap.low, gap.high) if end is not None]
    low, high = min(0.0, *ends), max(0.0, *ends)
    air = 0.06 * (high - low) or 1.0
    return low - air, high + air
