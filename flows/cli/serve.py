"""``lethe serve``: the deployments, served from this machine."""

from pathlib import Path
from typing import Annotated

import typer


def command(
    limit: Annotated[int, typer.Option(min=1, help="How many flow runs there may be at once.")] = 4,
) -> None:
    """Serve Lethe's deployments from this machine until interrupted: no work pool, no worker.

    Takes the deployments, their schedules and the trigger from `infra/prefect.yaml` and registers them with
    the Prefect server that PREFECT_API_URL names (`prefect server start` starts one). Requests are served in
    this checkout; `lethe request submit`, with the same PREFECT_API_URL, starts `delete` by itself. Runs
    wait for each other where they need the same model or the accelerator.
    """
    from flows.worker.local_serving import serve_deployments
    from tasks.checkout.checkout import Checkout

    serve_deployments(Checkout.find(Path.cwd()).root, limit=limit)
