"""Flow runs that a command left open in Prefect because it was killed or interrupted, and their tasks."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from uuid import uuid4

from tasks.checkout.begun import close_noted, note_begun, noted_here
from tasks.checkout.checkout import Checkout
from tasks.checkout.tags import flow_tag
from tasks.orchestration.own_server import with_server

_OPEN = ["RUNNING", "PENDING", "PAUSED", "CANCELLING"]


@contextmanager
def noted_flows(checkout: Checkout) -> Iterator[None]:
    """Note the flow runs that begin inside the block, and close those that earlier commands left open.

    Args:
        checkout: The checkout; the caller holds its lock.

    Yields:
        Nothing.
    """
    from prefect import tags

    close_noted(checkout.root, "prefect", _crash)
    note_begun(checkout.root, "prefect", tag := flow_tag("command", uuid4().hex[:12]))
    with tags(tag):
        yield


@with_server
def close_own_flows(checkout: Checkout) -> None:
    """Mark as crashed what this process has open, before it ends itself."""
    _crash(noted_here(checkout.root, "prefect"))


def _crash(tags: Sequence[str]) -> None:
    """Mark the flow runs with these tags as crashed, and their tasks, unless they have ended."""
    from prefect.client.orchestration import get_client
    from prefect.client.schemas import filters
    from prefect.states import Crashed

    state = Crashed(message="Its process was ended.")
    open_ = filters.TaskRunFilter.model_validate({"state": {"type": {"any_": _OPEN}}})
    with get_client(sync_client=True) as client:
        for tag in tags:
            tagged = filters.FlowRunFilter.model_validate({"tags": {"all_": [tag]}})
            for task in client.read_task_runs(flow_run_filter=tagged, task_run_filter=open_):
                client.set_task_run_state(task.id, state, force=True)
            for flow in client.read_flow_runs(flow_run_filter=tagged):
                if flow.state is None or not flow.state.is_final():
                    client.set_flow_run_state(flow.id, state, force=True)
