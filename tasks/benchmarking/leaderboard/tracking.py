"""A leaderboard in MLflow: one run per comparison, with its gaps as metrics and its pages as artifacts."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from tasks.checkout.checkout import Checkout
from tasks.checkout.tags import Tag
from tasks.tracking.attempts import log_metrics, log_params
from tasks.tracking.runs import Run, end_run, find_or_start, log_documents, tracking_of
from unlearn_core.records.base import canonical_json, sha256
from unlearn_core.records.benchmark import Leaderboard


def log_board(checkout: Checkout, board: Leaderboard, pages: Sequence[Path]) -> Run:
    """Log a leaderboard to MLflow; a repeat of the same comparison uses the same run.

    Args:
        checkout: The checkout.
        board: The leaderboard.
        pages: Its files.

    Returns:
        The run, which has ended.
    """
    rows = [row.model_dump(mode="json") for row in board.rows]
    tags = {
        Tag.BENCHMARK_KEY: sha256(canonical_json([board.parent, board.data, rows])),
        Tag.KIND: "benchmark",
    }
    run = find_or_start(
        tracking_of(checkout), Tag.BENCHMARK_KEY, name=f"benchmark {board.dataset}", tags=tags
    )
    info = run.tracking.client.get_run(run.id).info
    if info.status != "FINISHED":
        log_params(run, _params(board))
        log_metrics(run, _metrics(board), timestamp=info.start_time)
    log_documents(run, *pages)
    end_run(run, "FINISHED")
    return run


def _params(board: Leaderboard) -> dict[str, str]:
    return {
        "dataset": board.dataset,
        "data": board.data,
        "parent": board.parent,
        "architecture": board.architecture,
        "seeds": str(board.seeds),
        "forget": "; ".join(one.name for one in board.forget),
        "methods": ", ".join(dict.fromkeys(one.method for one in board.standings)),
    }


def _metrics(board: Leaderboard) -> Iterator[tuple[str, float, int]]:
    """Yield each mean and the ends of its interval as name, value and step."""
    for one in board.standings:
        for entry in one.means:
            name = f"{one.kind}.{one.method}.{entry.name}"
            ends = {f"{name}.low": entry.low, name: entry.value, f"{name}.high": entry.high}
            yield from ((key, value, 0) for key, value in ends.items() if value is not None)
