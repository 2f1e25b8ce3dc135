"""A leaderboard as one HTML file, in the style of the deletion report: it loads nothing from elsewhere."""

from dataclasses import dataclass

from tasks.benchmarking.leaderboard.figures import gap_figures
from tasks.benchmarking.leaderboard.text import cells_of
from tasks.benchmarking.leaderboard.words import (
    HEADINGS,
    KINDS,
    READING,
    by_kind,
    columns_of,
    failures_of,
    in_words,
    sets_of,
)
from tasks.report.inline import Drawing
from tasks.report.page import templates
from tasks.report.tables import Cell
from unlearn_core.records.benchmark import ForgetKind, ForgetSet, Leaderboard, MethodSummary


@dataclass(frozen=True)
class Line:
    """One method: its name, a cell per column, how many cases, the verdicts, the origin of its settings."""

    method: str
    cells: tuple[Cell, ...]
    cases: int
    verdicts: str
    settings: str


@dataclass(frozen=True)
class _Part:
    """The part of the page about one kind of forget set."""

    kind: ForgetKind
    title: str
    sets: list[ForgetSet]
    heads: list[str]
    lines: list[Line]
    figures: list[Drawing]


def render_board(board: Leaderboard) -> bytes:
    """Render a leaderboard.

    Args:
        board: The leaderboard.

    Returns:
        One HTML file in UTF-8; equal boards give equal bytes.
    """
    parts = [_part(board, kind, standings) for kind, standings in by_kind(board).items()]
    told = {
        "board": board,
        "parts_told": parts,
        "words": in_words(board),
        "reading": READING,
        "failures": failures_of(board),
    }
    return templates().get_template("leaderboard.html").render(told).encode()


def _part(board: Leaderboard, kind: ForgetKind, standings: list[MethodSummary]) -> _Part:
    names = columns_of(standings)
    heads = ["average gap", *(HEADINGS[name] for name in names), "cost"]
    lines = [_line(one, names) for one in standings]
    figures = gap_figures(standings, prefix=kind)
    return _Part(kind, KINDS[kind], sets_of(board, kind), heads, lines, figures)


def _line(one: MethodSummary, names: list[str]) -> Line:
    (method, _), *numbers, (verdicts, _), settings = cells_of(one, names)
    cells = tuple(Cell(*number) for number in numbers)
    return Line(method, cells, one.cases, verdicts, " ".join(settings).strip())
