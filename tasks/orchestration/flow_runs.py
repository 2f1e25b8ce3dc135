"""Prefect's page of the current flow run: its name, its tags, and its text."""

from collections.abc import Iterable
from contextlib import AbstractContextManager

from tasks.checkout.checkout import Checkout
from tasks.checkout.tags import flow_tag
from tasks.checkout.texts import in_markdown
from tasks.report.explaining import explain, verdict_on
from tasks.report.gathering import gather_facts
from tasks.report.outputs import run_name
from unlearn_core.records.request import RequestId


def tag_deletion(checkout: Checkout, *requests: RequestId) -> None:
    """Tag the flow run of a deletion with what is known at its start.

    Args:
        checkout: The checkout.
        requests: The ids of the requests that it serves.
    """
    model = checkout.params.registry.model
    tag_flow_run(["lethe", flow_tag("model", model), *request_tags(requests)])


def show_deletion(checkout: Checkout, *requests: RequestId) -> None:
    """Show the result of a deletion on the flow run's page, whether a model was accepted or not.

    Args:
        checkout: The checkout.
        requests: The ids of the requests that it served.
    """
    told = [gather_facts(checkout, one) for one in requests]
    record, verdict = told[0].deletion, verdict_on(told[0])
    found = "nothing-accepted" if record.accepted is None else record.accepted.verdict.verdict
    tags = [flow_tag("verdict", found)]
    tags += [] if record.accepted is None else [flow_tag("method", record.accepted.unlearning.name)]
    tag_flow_run(tags, name=run_name(record))
    description = f"**{verdict.label}.** {in_markdown(verdict.sentence)}"
    show_markdown(f"deletion-{record.request}", explain(*told), description=description)


def flow_run_id() -> str | None:
    """Return the id of the current flow run, if any."""
    from prefect.runtime import flow_run

    return flow_run.id


def is_deployed() -> bool:
    """Tell whether the current flow run belongs to a deployment; a command's own does not."""
    from prefect.runtime import deployment

    return deployment.id is not None


def tag_flow_run(tags: Iterable[str], *, name: str | None = None) -> None:
    """Add tags to the flow run, and rename it; it keeps the tags from its deployment.

    Args:
        tags: The tags. They must not name a person.
        name: The run's new name, which it gets at its end.
    """
    from prefect.client.orchestration import get_client
    from prefect.context import FlowRunContext

    if (context := FlowRunContext.get()) is None or context.flow_run is None:
        return
    run = context.flow_run
    run.tags = list(dict.fromkeys((*run.tags, *tags)))
    if name is not None:
        # It is named at its end: the tag that finds the runs of a killed command has served its purpose.
        run.tags = [tag for tag in run.tags if not tag.startswith(flow_tag("command", ""))]
    with get_client(sync_client=True) as client:
        client.update_flow_run(run.id, tags=run.tags, name=name)


def end_orphans(requests: Iterable[RequestId]) -> None:
    """Mark as crashed what a killed worker left: runs nested in its own that still count as running.

    Prefect's worker reports the process that it started, and nothing that ran inside.

    Args:
        requests: The ids of the requests that it was serving.
    """
    from prefect.client.orchestration import get_client
    from prefect.client.schemas import filters
    from prefect.states import Crashed

    state = Crashed(message="Its worker was killed; the request was claimed again.")
    open_ = {"type": {"any_": ["RUNNING", "PENDING", "PAUSED"]}}
    with get_client(sync_client=True) as client:
        for request in requests:
            wanted = filters.FlowRunFilter.model_validate(
                {"tags": {"all_": request_tags([request])}, "state": open_}
            )
            inside = [run for run in client.read_flow_runs(flow_run_filter=wanted) if run.parent_task_run_id]
            for run in inside:
                client.set_flow_run_state(run.id, state, force=True)


def tagged(requests: Iterable[RequestId]) -> AbstractContextManager[object]:
    """Tag every run that begins inside the block with the ids of the requests that it serves."""
    from prefect import tags

    return tags(*request_tags(requests))


def request_tags(requests: Iterable[RequestId]) -> list[str]:
    """Return the tags that the runs of some requests are found by."""
    return [flow_tag("request", one) for one in requests]


def show_markdown(key: str, markdown: str, *, description: str) -> None:
    """Put a text on the flow run's page.

    Args:
        key: The text's key; the same key again makes its next version.
        markdown: The text.
        description: One sentence, shown where the text itself is not.
    """
    from prefect.artifacts import create_markdown_artifact

    legal = "".join(char if char.isalnum() else "-" for char in key)
    create_markdown_artifact(markdown, key=legal, description=description)
