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
    """Register Lethe's deployments with the Prefect server that PREFECT_API_URL names; twice is once.

    Makes the work pool if there is none, runs `prefect deploy` for all that is described, lets the server
    refuse parameters that no flow has, and sets up what notices a run that has died without a word.
    """
    from tasks.orchestration.deploying import DEPLOYMENTS, deploy

    names = deploy(folder or DEPLOYMENTS, pool=pool)
    Output(json).give({"deployments": list(names)}, lambda: "\n".join(names))
