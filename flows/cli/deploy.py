"""``lethe deploy``: the deployments, registered with a Prefect server."""

from typing import Annotated

import typer

from flows.cli.options import Deployments, Json
from flows.cli.output import Output


def command(
    folder: Deployments = None,
    pool: Annotated[str, typer.Option(help="The work pool that `prefect.yaml` names.")] = "lethe",
    json: Json = False,
) -> None:
    """Register Lethe's deployments with the Prefect server that PREFECT_API_URL names; safe to repeat.

    Creates the work pool if there is none, runs `prefect deploy` for every deployment described, makes the
    server refuse parameters that a flow does not have, and sets up the automation that detects runs that
    died silently.
    """
    from tasks.orchestration.deploying import DEPLOYMENTS, deploy

    names = deploy(folder or DEPLOYMENTS, pool=pool)
    Output(json).give({"deployments": list(names)}, lambda: "\n".join(names))
