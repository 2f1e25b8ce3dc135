"""``lethe pending``: all waiting requests of the ledger."""

from typing import Annotated

import typer

from flows.cli.options import Json
from flows.cli.output import Output


def command(
    together: Annotated[int, typer.Option(min=1, help="The most requests to unlearn in one run.")] = 50,
    json: Json = False,
) -> None:
    """Serve all waiting requests of the ledger, those due first before the others.

    Requests on one model that name the same kind of thing are unlearned together, each with its own
    certificate. The deployment of this name does the same on a schedule.
    """
    from tasks.checkout.environment import find_checkout
    from tasks.checkout.progress import signs_of_life
    from tasks.checkout.settings import WorkerSettings
    from tasks.requests.ledger.finding import find_ledger
    from unlearn_core.kinds import TO_SERVE

    served, ledger = 0, find_ledger(find_checkout(WorkerSettings.read().project))
    if ledger is not None and any(ledger.entries(state=state) for state in TO_SERVE):
        with signs_of_life("pending"):
            from flows.worker.deployments import QueueOrder, pending

            served = pending(QueueOrder(model=None, together=together, limit_h=24.0))
    Output(json).give({"served": served}, lambda: f"{served} requests were served")
