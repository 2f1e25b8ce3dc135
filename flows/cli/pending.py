"""``lethe pending``: all requests of the ledger that wait."""

from typing import Annotated

import typer

from flows.cli.options import Json
from flows.cli.output import Output


def command(
    together: Annotated[
        int, typer.Option(min=1, help="At most so many requests are unlearned in one run.")
    ] = 50,
    json: Json = False,
) -> None:
    """Serve all requests of the ledger that wait, what is due first in front.

    Requests on one model that name the same kind of thing are unlearned together, each with its own
    certificate. The deployment of this name does the same on a schedule.
    """
    from flows.worker.deployments import QueueOrder, pending

    served = pending(QueueOrder(model=None, together=together, limit_h=24.0))
    Output(json).give({"served": served}, lambda: f"{served} requests were served")
