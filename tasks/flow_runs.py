"""Prefect's page of the flow run that is going on: what it is called, searched by, and what it says."""

from collections.abc import Iterable

from tasks.explaining import explain, verdict_on
from tasks.layout import Layout
from tasks.params import read_section
from tasks.report.gathering import gather_facts
from tasks.reporting import run_name
from unlearn_core.records.params import RegistryParams
from unlearn_core.records.request import RequestId


def tag_deletion(layout: Layout, *requests: RequestId) -> None:
    """Tag the flow run of a deletion with what is known when it begins.

    Args:
        layout: The checkout.
        requests: The ids of the requests that it serves.
    """
    model = read_section(layout.root, "registry", RegistryParams).model
    tag_flow_run(["lethe", f"model:{model}", *(f"request:{one}" for one in requests)])


def show_deletion(layout: Layout, *requests: RequestId) -> None:
    """Say on the flow run's page what came of a deletion, whether a model was accepted or not.

    Args:
        layout: The checkout.
        requests: The ids of the requests that it served.
    """
    told = [gather_facts(layout, one) for one in requests]
    record, verdict = told[0].deletion, verdict_on(told[0])
    found = "nothing-accepted" if record.accepted is None else record.accepted.verdict.verdict
    tags = [f"verdict:{found}"]
    tags += [] if record.accepted is None else [f"method:{record.accepted.unlearning.name}"]
    tag_flow_run(tags, name=run_name(record))
    description = f"**{verdict.label}.** {verdict.sentence}"
    show_markdown(f"deletion-{record.request}", explain(*told), description=description)


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
