"""Prefect's page of the flow run that is going on: what it is called, searched by, and what it says."""

from collections.abc import Iterable
from contextlib import AbstractContextManager

from tasks.checkout.checkout import Checkout
from tasks.checkout.tags import flow_tag
from tasks.report.explaining import explain, verdict_on
from tasks.report.gathering import gather_facts
from tasks.report.outputs import run_name
from unlearn_core.records.request import RequestId


def tag_deletion(checkout: Checkout, *requests: RequestId) -> None:
    """Tag the flow run of a deletion with what is known when it begins.

    Args:
        checkout: The checkout.
        requests: The ids of the requests that it serves.
    """
    model = checkout.params.registry.model
    tag_flow_run(["lethe", flow_tag("model", model), *request_tags(requests)])


def show_deletion(checkout: Checkout, *requests: RequestId) -> None:
    """Say on the flow run's page what came of a deletion, whether a model was accepted or not.

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
    description = f"**{verdict.label}.** {verdict.sentence}"
    show_markdown(f"deletion-{record.request}", explain(*told), description=description)


def flow_run_id() -> str | None:
    """Return the id of the flow run that is going on, if any."""
    from prefect.runtime import flow_run

    return flow_run.id


def is_deployed() -> bool:
    """Tell whether the flow run that is going on is one of a deployment; a command's own is not."""
    from prefect.runtime import deployment

    return deployment.id is not None


def tag_flow_run(tags: Iterable[str], *, name: str | None = None) -> None:
    """Add tags to the flow run, and rename it; it keeps the tags that its deployment gave it.

    Args:
        tags: The tags. They must not name a person.
        name: What the run is called from now on, if anything else than before.
    """
    from prefect.client.orchestration import get_client
    from prefect.context import FlowRunContext

    if (context := FlowRunContext.get()) is None or context.flow_run is None:
        return
    run = context.flow_run
    run.tags = list(dict.fromkeys((*run.tags, *tags)))
    with get_client(sync_client=True) as client:
        client.update_flow_run(run.id, tags=run.tags, name=name)


def end_orphans(requests: Iterable[RequestId]) -> None:
    """Mark as crashed what a killed worker has left: runs inside of its own that are said to run still.

    Prefect's worker reports the process that it has started, and nothing of what ran inside.

    Args:
        requests: The ids of the requests that it was serving.
    """
    from prefect.client.orchestration import get_client
    from prefect.client.schemas import filters
    from prefect.states import Crashed

    state = Crashed(message="Its worker was killed; the request was taken up again.")
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
    """Let every run that begins inside carry the ids of the requests that it serves."""
    from prefect import tags

    return tags(*request_tags(requests))


def request_tags(requests: Iterable[RequestId]) -> list[str]:
    """Return the tags that the runs of some requests are found by."""
    return [flow_tag("request", one) for one in requests]


def show_markdown(key: str, markdown: str, *, description: str) -> None:
    """Put a text on the flow run's page.

    Args:
        key: What the text is called; the same key again is its next version.
        markdown: The text.
        description: One sentence, shown where the text itself is not.
    """
    from prefect.artifacts import create_markdown_artifact

    legal = "".join(char if char.isalnum() else "-" for char in key)
    create_markdown_artifact(markdown, key=legal, description=description)
