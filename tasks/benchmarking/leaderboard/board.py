"""From the rows of a comparison to its leaderboard."""

from collections.abc import Sequence

from tasks.benchmarking.leaderboard.origins import settings_origin
from tasks.checkout.checkout import Checkout
from tasks.computing.checkpoints import read_checkpoint_card
from tasks.computing.execution import device_name
from tasks.data.datasets import read_card
from unlearn_core.ranking import rank
from unlearn_core.records.benchmark import BenchmarkRow, ForgetSet, Leaderboard


def make_board(checkout: Checkout, rows: Sequence[BenchmarkRow], *, seeds: int) -> Leaderboard:
    """Rank the methods, and record what they were compared on.

    Args:
        checkout: The checkout; its parent and data were used.
        rows: One per case and method.
        seeds: How many seeds there were.

    Returns:
        The leaderboard.
    """
    data, parent = read_card(checkout.dataset), read_checkpoint_card(checkout.parent)
    forget: dict[str, ForgetSet] = {row.forget.name: row.forget for row in rows}
    return Leaderboard(
        dataset=data.name,
        data=data.rows_digest,
        architecture=parent.architecture.name,
        parent=parent.weights,
        device=device_name(),
        seeds=seeds,
        forget=tuple(forget.values()),
        standings=tuple(
            one.model_copy(update={"origin": settings_origin(checkout, one.method)}) for one in rank(rows)
        ),
        rows=tuple(rows),
    )
