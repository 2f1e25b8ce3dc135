"""``lethe pending``: all waiting requests of the ledger."""

from typing import Annotated

import typer

from flows.cli.options import Json
from flows.cli.output import Output


def command(
    together: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=1000,
            help="The most requests to unlearn in one run.",
            show_default="the policy's batch.at_most, else 50",
        ),
    ] = None,
    *,
    at_once: Annotated[bool, typer.Option("--now", help="Also requests that wait for others.")] = False,
    json: Json = False,
) -> None:
    """Serve all waiting requests of the ledger, those due first before the others.

    Requests on one model that name the same kind of thing are unlearned together, each with its own
    certificate. Where `policy.batch` lets requests wait for one another, those that still wait are left for
    later: `lethe request list` says until when. The deployment of this name does the same on a schedule.
    """
    from tasks.checkout.environment import find_checkout
    from tasks.checkout.progress import signs_of_life
    from tasks.checkout.settings import WorkerSettings
    from tasks.requests.ledger.finding import find_ledger
    from unlearn_core.kinds import TO_SERVE

    served, waiting = 0, 0
    ledger = find_ledger(find_checkout(WorkerSettings.read().project))
    if ledger is not None and ledger.entries(state=TO_SERVE, limit=1):
        with signs_of_life("pending"):
            from flows.worker.deployments import QueueOrder, pending

            served = pending(QueueOrder(model=None, together=together, at_once=at_once, limit_h=24.0))
    if ledger is not None:
        waiting = ledger.count(state="received")
    still = f"; {waiting} still wait: `lethe status` says why" if waiting else ""
    told = {"served": served, "waiting": waiting}
    Output(json).give(told, lambda: f"{served} requests were served{still}")
