"""Commands that are killed or interrupted: what they have begun in MLflow and Prefect does not stay open."""

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from tasks.checkout.begun import noted_here
from tasks.checkout.checkout import Checkout
from tasks.orchestration.cut_short import close_own_flows, noted_flows
from tasks.orchestration.own_server import with_server
from tasks.tracking.cut_short import close_killed_runs, close_own_runs

_P = ParamSpec("_P")
_R = TypeVar("_R")


def closing_before(
    run: Callable[Concatenate[Checkout, _P], _R],
) -> Callable[Concatenate[Checkout, _P], _R]:
    """Give a flow a server, and let it close what killed commands left open before it begins.

    Args:
        run: The flow; its first argument is the checkout, whose lock the caller holds.

    Returns:
        The same, called in the same way.
    """

    @wraps(run)
    def noted(checkout: Checkout, *arguments: _P.args, **named: _P.kwargs) -> _R:
        close_killed_runs(checkout)
        with noted_flows(checkout):
            return run(checkout, *arguments, **named)

    return with_server(noted)


def close_own(root: Path) -> None:
    """Close what this process has begun in a checkout, before it ends itself."""
    checkout = Checkout(root)
    close_own_runs(checkout)
    if noted_here(root, "prefect"):
        close_own_flows(checkout)
