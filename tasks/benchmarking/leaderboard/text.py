"""A leaderboard for a terminal and as Markdown."""

from collections.abc import Sequence

from tasks.benchmarking.leaderboard.words import (
    HEADINGS,
    KINDS,
    READING,
    by_kind,
    columns_of,
    failures_of,
    gap_style,
    in_words,
    outcomes_of,
    settings_of,
    unsigned_points,
    with_interval,
)
from tasks.checkout.texts import in_markdown
from tasks.report.numbers import percent
from unlearn_core.names import one_line
from unlearn_core.ranking import AVERAGE_GAP
from unlearn_core.records.benchmark import Leaderboard, MethodSummary

SHORT = (AVERAGE_GAP, "accuracy.train.forget", "accuracy.test.retain", "mia.loss_auc")
"""What fits into a terminal."""


def tell_board(board: Leaderboard) -> str:
    """Return a short leaderboard, as text in columns."""
    parts = [one_line(in_words(board))]
    for kind, standings in by_kind(board).items():
        head = [
            "method",
            "average gap",
            *(HEADINGS[name] for name in SHORT[1:]),
            "cost",
            "verdicts",
            "settings",
        ]
        rows = [[one_line(" ".join(cell).strip()) for cell in cells_of(one, SHORT[1:])] for one in standings]
        parts += ["", f"{KINDS[kind]}: gap to retrained", *_aligned([head, *rows])]
    return "\n".join(parts)


def cells_of(one: MethodSummary, names: Sequence[str]) -> list[tuple[str, str]]:
    """Return a method's line: each number with its interval, or that it has none."""
    return [
        (one.method, ""),
        with_interval(one.average_gap, unsigned_points),
        *(with_interval(one.gap(name), gap_style(name)) for name in names),
        with_interval(one.cost, percent),
        (outcomes_of(one), ""),
        settings_of(one),
    ]


def _aligned(rows: list[list[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]


def markdown(board: Leaderboard) -> str:
    """Write a leaderboard as Markdown.

    Args:
        board: The leaderboard.

    Returns:
        One page; names from the data are escaped.
    """
    parts = ["# Leaderboard", "", in_markdown(in_words(board)) + "."]
    for kind, standings in by_kind(board).items():
        names = columns_of(standings)
        head = [
            "",
            "method",
            "average gap",
            *(HEADINGS[name] for name in names),
            "cost",
            "cases",
            "verdicts",
            "settings",
        ]
        parts += ["", f"## {KINDS[kind]}", "", "Mean signed gap to retrained.", "", _line(head)]
        parts.append(_line(["---:", "---", *["---:"] * (len(names) + 3), "---", "---"]))
        for place, one in enumerate(standings, 1):
            _, *cells, verdicts, settings = ("<br>".join(filter(None, cell)) for cell in cells_of(one, names))
            parts.append(
                _line([str(place), in_markdown(one.method), *cells, str(one.cases), verdicts, settings])
            )
    if failures := failures_of(board):
        parts += ["", "## Failures", "", _line(["method", "case", "why"]), _line(["---"] * 3)]
        parts += [_line([in_markdown(word) for word in failure]) for failure in failures]
    return "\n".join([*parts, "", "## How to read it", "", *(f"- {line}" for line in READING), ""])


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"
