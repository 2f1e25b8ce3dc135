"""Runs that a command left open in MLflow because it was killed or interrupted."""

from collections.abc import Sequence

from tasks.checkout.begun import close_noted, noted_here
from tasks.checkout.checkout import Checkout
from tasks.tracking.runs import Run, Tracking, end_run, tracking_of


def close_killed_runs(checkout: Checkout) -> None:
    """End the runs that earlier commands left open; whoever continues one opens it again.

    Args:
        checkout: The checkout; the caller holds its lock.
    """
    close_noted(checkout.root, "mlflow", lambda left: _kill(tracking_of(checkout), left))


def close_own_runs(checkout: Checkout) -> None:
    """End the runs that this process has open, before it ends itself."""
    if own := noted_here(checkout.root, "mlflow"):
        _kill(tracking_of(checkout), own)


def _kill(tracking: Tracking, searches: Sequence[str]) -> None:
    for search in searches:
        open_ = f"{search} and attributes.status = 'RUNNING'"
        for found in tracking.client.search_runs([tracking.experiment_id], open_):
            end_run(Run(tracking, found.info.run_id), "KILLED")
