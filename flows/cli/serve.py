"""``lethe serve``: the deployments, served from this machine."""

from pathlib import Path
from typing import Annotated

import typer

from flows.cli.options import Deployments


def command(
    limit: Annotated[int, typer.Option(min=1, help="The most flow runs at once.")] = 4,
    folder: Deployments = None,
) -> None:
    """Serve Lethe's deployments from this machine until interrupted, without a work pool or a worker.

    Registers the deployments, their schedules and the trigger with the Prefect server that PREFECT_API_URL
    names (`prefect server start` starts one). `lethe request submit`, with the same PREFECT_API_URL, starts
    `delete` automatically. Runs that need the same model or the accelerator wait for each other.

    Requests are served in this checkout: each deletion changes its params.yaml, dvc.lock, data, models,
    reports and evidence, and you commit the result, as after `lethe delete`. If LETHE_PROJECTS and LETHE_WORK
    are set, runs work in clones, as a worker does, and this checkout stays as it is.
    """
    from tasks.checkout.checkout import Checkout
    from tasks.orchestration.deploying import DEPLOYMENTS

    root = Checkout.find(Path.cwd()).root
    from flows.worker.local_serving import serve_deployments

    serve_deployments(root, limit=limit, folder=folder or DEPLOYMENTS)
