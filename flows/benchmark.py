"""``lethe benchmark``: methods, forget sets and seeds compared, on the checkout's own parent and data."""

from collections.abc import Callable, Collection, Sequence
from functools import partial
from pathlib import Path

from tasks.benchmarking.cases import Asked
from tasks.benchmarking.forecast import forecast
from tasks.benchmarking.leaderboard.board import make_board
from tasks.benchmarking.leaderboard.tracking import log_board
from tasks.benchmarking.leaderboard.writing import default_folder, write_board
from tasks.benchmarking.plan import Planned, plan_benchmark
from tasks.benchmarking.runs import run_method, set_up
from tasks.benchmarking.scratch import benchmark_home, scratch, sweep_scratch
from tasks.checkout.checkout import Checkout
from tasks.checkout.files import write_record
from tasks.checkout.progress import announced
from tasks.computing.collecting import kept_moments
from unlearn_core.records.benchmark import BenchmarkReport, BenchmarkRow, Forecast

_Agree = Callable[[Forecast], bool]
"""Is shown the forecast before anything runs; returns whether to go on."""


def benchmark(
    checkout: Checkout,
    asked: Asked,
    *,
    methods: Collection[str] = (),
    seeds: int = 3,
    output: Path | None = None,
    agree: _Agree,
) -> BenchmarkReport:
    """Plan, forecast, ask, run what is missing, and write the leaderboard.

    Args:
        checkout: The checkout; the caller holds its lock.
        asked: The forget sets.
        methods: Names of methods; empty for all that are configured.
        seeds: How many seeds, each with its own retrained model.
        output: Where the leaderboard goes; by default into the checkout's cache.
        agree: Is shown the forecast; if it returns False, nothing is run or written.

    Returns:
        The forecast and the result.
    """
    plan = plan_benchmark(checkout, asked, methods=methods, seeds=seeds)
    foreseen = forecast(checkout, plan)
    if not agree(foreseen):
        return BenchmarkReport(forecast=foreseen)
    board = make_board(checkout, run_missing(checkout, plan), seeds=seeds)
    folder = output or default_folder(checkout, board)
    pages = write_board(board, folder)
    run = log_board(checkout, board, pages)
    named = (
        page.relative_to(checkout.root) if page.is_relative_to(checkout.root) else page for page in pages
    )
    return BenchmarkReport(forecast=foreseen, leaderboard=board, pages=tuple(map(str, named)), run=run.id)


def run_missing(checkout: Checkout, plan: Sequence[Planned]) -> list[BenchmarkRow]:
    """Run what has no row yet.

    Args:
        checkout: The checkout.
        plan: The cases.

    Returns:
        All rows, in the plan's order. Each is kept at once, except failures that another attempt may fix.
    """
    total = sum(len(one.missing) for one in plan)
    done = 0
    rows: list[BenchmarkRow] = []
    for one in plan:
        step = partial(_numbered, done, total)
        done += len(one.missing)
        fresh = run_case(checkout, one, step) if one.missing else {}
        found = {**one.rows, **fresh}
        rows += [found[name] for name in one.methods]
    sweep_scratch(checkout)
    return rows


def _numbered(done: int, total: int, index: int) -> str:
    """Number a run among all runs."""
    return f"[{done + index}/{total}]"


def run_case(checkout: Checkout, planned: Planned, number: Callable[[int], str]) -> dict[str, BenchmarkRow]:
    """Run what is missing of one case, in its own folder.

    Args:
        checkout: The checkout.
        planned: The case.
        number: Numbers the case's first, second, … run, counted from 1, among all runs.

    Returns:
        The new rows by method.
    """
    fresh: dict[str, BenchmarkRow] = {}
    moments, took = kept_moments(checkout, benchmark_home(checkout) / "moments")
    with scratch(checkout, planned.case, moments) as place:
        with announced(f"{planned.case.title}: a retrained model to compare with"):
            inputs = set_up(place, planned.case, planned.reference)
        for index, name in enumerate(planned.missing, 1):
            with announced(f"{number(index)} {planned.case.title}: {name}"):
                row, final = run_method(inputs, planned.methods[name], took)
            fresh[name] = row
            if final:
                write_record(planned.kept[name], row)
    return fresh
