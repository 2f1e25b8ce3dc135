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
    reason: Annotated[str | None, typer.Option(help="Why, in one line, without personal names.")] = None,
    json: Json = False,
) -> None:
    """Approve or refuse putting an accepted model into use, if `policy.approval` asks for it.

    The decision is about this deletion alone: another model for the same request needs a new one. Then
    `lethe delete` continues. Under a Prefect worker the flow run itself asks and waits.
    """
    from tasks.checkout.checkout import Checkout
    from tasks.evidence.approving import decide

    with Checkout.open(Path.cwd()) as checkout:
        decision = decide(checkout, request_id, approved=not refuse, by=by, reason=reason)
    said = "refused" if refuse else "approved"
    told = f"request {request_id}: {said} by {by}"
    Output(json).give(decision.model_dump(mode="json"), lambda: told)
