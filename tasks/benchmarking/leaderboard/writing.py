"""A leaderboard in a folder: Markdown, CSV, HTML and JSON."""

from pathlib import Path

from tasks.benchmarking.leaderboard.page import render_board
from tasks.benchmarking.leaderboard.tables import gaps_csv, rows_csv
from tasks.benchmarking.leaderboard.text import markdown
from tasks.benchmarking.scratch import benchmark_home
from tasks.checkout.checkout import Checkout
from tasks.checkout.files import write_atomically
from unlearn_core.records.benchmark import Leaderboard


def default_folder(checkout: Checkout, board: Leaderboard) -> Path:
    """Return where a checkout's leaderboards are: in its cache, since they can be rebuilt."""
    return benchmark_home(checkout) / "leaderboards" / board.dataset


def write_board(board: Leaderboard, folder: Path) -> tuple[Path, ...]:
    """Write every form of a leaderboard, replacing those of an earlier one.

    Args:
        board: The leaderboard.
        folder: Where to; created if it does not exist.

    Returns:
        The files.
    """
    forms = {
        "leaderboard.md": markdown(board).encode(),
        "leaderboard.html": render_board(board),
        "leaderboard.json": board.canonical(),
        "leaderboard.csv": gaps_csv(board).encode(),
        "rows.csv": rows_csv(board).encode(),
    }
    for name, content in forms.items():
        write_atomically(folder / name, content)
    return tuple(folder / name for name in forms)
