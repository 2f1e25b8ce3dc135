"""``lethe approve``: a person's decision on an accepted model."""

from pathlib import Path
from typing import Annotated

import typer

from flows.cli.options import Json, RequestArgument
from flows.cli.output import Output


def command(
    request_id: RequestArgument,
    by: Annotated[str, typer.Option(help="What you are called in the record: a role or a ticket.")],
    refuse: Annotated[bool, typer.Option("--refuse", help="The champion stays.")] = False,
    reason: Annotated[str | None, typer.Option(help="Why, in a line, without names of persons.")] = None,
    json: Json = False,
) -> None:
    """Approve, or refuse, that an accepted model comes into use, where `policy.approval` asks for it.

    The decision is about this very deletion: another model for the same request asks again. `lethe delete`
    goes on from there. Under a Prefect worker the flow run asks by itself and waits.
    """
    from tasks.checkout.checkout import Checkout
    from tasks.evidence.approving import decide

    with Checkout.open(Path.cwd()) as checkout:
        decision = decide(checkout, request_id, approved=not refuse, by=by, reason=reason)
    said = "refused" if refuse else "approved"
    told = f"request {request_id}: {said} by {by}"
    Output(json).give(decision.model_dump(mode="json"), lambda: told)
