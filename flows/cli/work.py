"""The commands that work off the ledger: ``serve``, ``deploy``, ``pending``, ``approve``."""

from pathlib import Path
from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of text.")]


def serve(
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


def deploy(
    folder: Annotated[
        Path, typer.Option(help="Holds `prefect.yaml` and `automations.yaml`.", show_default="infra")
    ] = Path("infra"),
    pool: Annotated[str, typer.Option(help="The work pool that `prefect.yaml` names.")] = "lethe",
    json: Json = False,
) -> None:
    """Register Lethe's deployments with the Prefect server that PREFECT_API_URL names; twice is once.

    Makes the work pool if there is none, runs `prefect deploy` for all of `infra/prefect.yaml`, lets the
    server refuse parameters that no flow has, and sets up what notices a run that has died without a word.
    """
    from flows.cli.printing import print_json
    from tasks.orchestration.deploying import deploy as deploy_to_server

    names = deploy_to_server(folder, pool=pool)
    print_json({"deployments": list(names)}) if json else print("\n".join(names))


def pending(
    together: Annotated[
        int, typer.Option(min=1, help="At most so many requests are unlearned in one run.")
    ] = 50,
    json: Json = False,
) -> None:
    """Serve all requests of the ledger that wait, what is due first in front.

    Requests on one model that name the same kind of thing are unlearned together, each with its own
    certificate. The deployment of this name does the same on a schedule.
    """
    from flows.cli.printing import print_json
    from flows.worker.deployments import QueueOrder
    from flows.worker.deployments import pending as pending_flow

    served = pending_flow(QueueOrder(model=None, together=together, limit_h=24.0))
    print_json({"served": served}) if json else print(f"{served} requests were served")


def approve(
    request_id: Annotated[str, typer.Argument(metavar="REQUEST", help="The request's id, e.g. `r-17`.")],
    by: Annotated[str, typer.Option(help="What you are called in the record: a role or a ticket.")],
    refuse: Annotated[bool, typer.Option("--refuse", help="The champion stays.")] = False,
    reason: Annotated[str | None, typer.Option(help="Why, in a line, without names of persons.")] = None,
    json: Json = False,
) -> None:
    """Approve, or refuse, that an accepted model comes into use, where `policy.approval` asks for it.

    The decision is about this very deletion: another model for the same request asks again. `lethe delete`
    goes on from there. Under a Prefect worker the flow run asks by itself and waits.
    """
    from flows.cli.printing import print_json
    from tasks.checkout.checkout import Checkout
    from tasks.evidence.approving import decide

    with Checkout.open(Path.cwd()) as checkout:
        decision = decide(checkout, request_id, approved=not refuse, by=by, reason=reason)
    said = "refused" if refuse else "approved"
    print_json(decision.model_dump(mode="json")) if json else print(f"request {request_id}: {said} by {by}")
