"""Commands that are killed or interrupted: what they have begun in MLflow and Prefect does not stay open."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from tasks.checkout.begun import noted_here
from tasks.checkout.checkout import Checkout
from tasks.orchestration.cut_short import close_own_flows, noted_flows
from tasks.orchestration.own_server import served
from tasks.tracking.cut_short import close_killed_runs, close_own_runs

_P = ParamSpec("_P")
_R = TypeVar("_R")


@contextmanager
def attended(checkout: Checkout) -> Iterator[None]:
    """Give flows a server, and close what killed commands left open before they begin.

    Args:
        checkout: The checkout, whose lock the caller holds.

    Yields:
        Nothing.
    """
    close_killed_runs(checkout)
    with served(), noted_flows(checkout):
        yield


def closing_before(
    run: Callable[Concatenate[Checkout, _P], _R],
) -> Callable[Concatenate[Checkout, _P], _R]:
    """Attend to a flow (``attended``) whose first argument is the checkout.

    Args:
        run: The flow.

    Returns:
        The same, called in the same way.
    """

    @wraps(run)
    def noted(checkout: Checkout, *arguments: _P.args, **named: _P.kwargs) -> _R:
        with attended(checkout):
            return run(checkout, *arguments, **named)

    return noted


def close_own(root: Path) -> None:
    """Close what this process has begun in a checkout, before it ends itself."""
    checkout = Checkout(root)
    close_own_runs(checkout)
    if noted_here(root, "prefect"):
        close_own_flows(checkout)
