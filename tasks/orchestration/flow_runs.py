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
    """Tag and name the flow run of a deletion by what is known at its start.

    Args:
        checkout: The checkout.
        requests: The ids of the requests that it serves.
    """
    name = run_named(checkout, f"delete {checkout.params.request}")
    tag_flow_run([*project_tags(checkout), *request_tags(requests)], name=name)


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
    # At its end: the tag that finds the runs of a killed command has served its purpose.
    tag_flow_run(tags, name=run_named(checkout, run_name(record)), without=flow_tag("command", ""))
    description = f"**{verdict.label}.** {in_markdown(verdict.sentence)}"
    show_markdown(f"deletion-{record.request}", explain(*told), description=description)


def show_served_elsewhere(request: RequestId) -> None:
    """Say on a flow run's page that another run has served its request, and which."""
    from prefect.client.orchestration import get_client
    from prefect.client.schemas import filters

    tags = {"all_": request_tags([request])}
    ended = {"type": {"any_": ["COMPLETED"]}}
    wanted = filters.FlowRunFilter.model_validate({"tags": tags, "state": ended})
    with get_client(sync_client=True) as client:
        found = [run for run in client.read_flow_runs(flow_run_filter=wanted) if str(run.id) != flow_run_id()]
    told = "".join(f"\n- {in_markdown(run.name)}, flow run `{run.id}`" for run in found)
    tag_flow_run([], name=f"delete {request} · served by another run")
    show_markdown(
        f"served-{request}",
        f"Request {request} was served by another run, which has its steps, its log and its result:\n{told}",
        description=f"Request {request} was served by another run.",
    )


def run_named(checkout: Checkout, what: str) -> str:
    """Return the name of a flow run: of which model, and what it does."""
    return f"{checkout.params.registry.model}: {what}"


def project_tags(checkout: Checkout) -> list[str]:
    """Return the tags of a flow run of a project: those of its model, and of its folder's name alone."""
    model = flow_tag("model", checkout.params.registry.model)
    return ["lethe", model, flow_tag("project", checkout.root.resolve().name)]


def is_run_of(requests: Iterable[RequestId]) -> bool:
    """Tell whether the current flow run was started for one of some requests, so that its page is theirs."""
    from prefect.context import FlowRunContext

    context = FlowRunContext.get()
    if context is None or context.flow_run is None:
        return False
    return not {*request_tags(requests)}.isdisjoint(context.flow_run.tags)


def flow_run_id() -> str | None:
    """Return the id of the current flow run, if any."""
    from prefect.runtime import flow_run

    return flow_run.id


def is_deployed() -> bool:
    """Tell whether the current flow run belongs to a deployment; a command's own does not."""
    from prefect.runtime import deployment

    return deployment.id is not None


def tag_flow_run(tags: Iterable[str], *, name: str | None = None, without: str | None = None) -> None:
    """Add tags to the flow run, and rename it; it keeps the tags from its deployment.

    Args:
        tags: The tags. They must not name a person.
        name: The run's new name.
        without: What the tags start with that it loses.
    """
    from prefect.client.orchestration import get_client
    from prefect.context import FlowRunContext

    if (context := FlowRunContext.get()) is None or context.flow_run is None:
        return
    run = context.flow_run
    kept = [tag for tag in run.tags if without is None or not tag.startswith(without)]
    run.tags = list(dict.fromkeys((*kept, *tags)))
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
