"""The flows that run as Prefect deployments, started by a form, an event, or a schedule.

Their parameters are stored and shown, so they carry only request ids and model names.
"""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

from prefect import flow
from pydantic import BaseModel, ConfigDict, Field

from flows.audit import audit
from flows.verify import show_checked
from flows.worker.purging import purge_due
from flows.worker.turn import serve_next, train_model, worker_name
from tasks.checkout.log import open_log, tell_error
from tasks.checkout.settings import WorkerSettings
from tasks.lifecycle.refusals import require_ready
from tasks.orchestration.flow_runs import is_deployed, request_tags, show_served_elsewhere, tag_flow_run
from tasks.orchestration.form import offer
from tasks.orchestration.run_log import log_to_pages
from tasks.requests.claims import PASSING
from tasks.requests.ledger.finding import open_ledger
from unlearn_core.audit.queueing import in_groups, turn_of
from unlearn_core.errors import PipelineError
from unlearn_core.kinds import TO_SERVE
from unlearn_core.records.base import RegistryName
from unlearn_core.records.request import RequestId

_POLL_S = 5.0

Limit = Annotated[
    float,
    Field(
        title="Time limit in hours",
        description="Computing that takes longer is killed, even if it hangs, and the request fails.",
        gt=0,
        le=240,
    ),
]


class Order(BaseModel):
    """A form's parameters: no unknown fields, no conversions."""

    model_config = ConfigDict(extra="forbid", strict=True)


class DeletionOrder(Order):
    """Which request to serve."""

    request_id: RequestId = Field(
        title="Request",
        description="The id of a request in the ledger, e.g. r-17. `lethe request list` shows all.",
    )
    ahead: bool = Field(
        False,
        title="Serve it first",
        description="Ahead of requests on the same model that are due earlier.",
    )
    limit_h: Limit = 24.0


class QueueOrder(Order):
    """Which waiting requests to serve."""

    model: RegistryName | None = Field(
        None, title="Model", description="Only requests for this registered model; empty for all."
    )
    together: int | None = Field(
        None,
        title="Requests per run",
        description="The most to unlearn together; each gets its own certificate. Empty for what the model's "
        "policy says (batch.at_most), or else 50.",
        ge=1,
        le=1000,
    )
    at_once: bool = Field(
        False,
        title="Do not wait",
        description="Also requests that wait for others, as the policy of their model lets them.",
    )
    limit_h: Limit = 24.0


class TrainingOrder(Order):
    """Which model to make."""

    model: RegistryName = Field(title="Model", description="The registered model's name, e.g. digits.")


@contextmanager
def logged() -> Iterator[None]:
    """Open the log of a deployed run, and log its errors, as the command line does."""
    deployed = is_deployed()
    try:
        if deployed:
            log_to_pages()
            open_log()
        yield
    except Exception as error:
        if deployed:
            tell_error(error)
        raise


ALL = QueueOrder(model=None, together=None, at_once=False, limit_h=24.0)
"""All requests that may be served."""


def here() -> Path:
    """Change to the project's folder and return it as ``.``: what a run stores names no folder above it."""
    os.chdir(WorkerSettings.read().project)
    return Path()


@flow(name="delete", flow_run_name="delete {order.request_id}")
@logged()
def delete(order: DeletionOrder) -> str:
    """Serve one deletion request, after those that are due earlier on the same model.

    The request is already in the ledger, and this run is its page: steps, log and result. What is due earlier
    is served in runs of its own inside of it. While another run works on the model, this one waits. A request
    that was served before is not served again.

    Args:
        order: Which request.

    Returns:
        The state of the request.

    Raises:
        PipelineError: If the request failed or was cancelled.
        SetupError: If this machine cannot serve anything; the request waits.
        UnavailableError: If a service is unavailable for longer than a run waits; the request waits.
    """
    require_ready()
    tag_flow_run(request_tags([order.request_id]))
    ledger, worker = open_ledger(here()), worker_name()
    rule, own = turn_of(order.request_id, ahead=order.ahead), False
    while (entry := ledger.history(order.request_id)[0]).state in TO_SERVE:
        turn = serve_next(here(), worker, rule, limit_s=order.limit_h * 3600)
        own = own or order.request_id in turn.requests
        if isinstance(turn.failure, PASSING):
            raise turn.failure
        if not turn.requests:
            time.sleep(_POLL_S)
    if entry.state != "completed":
        raise PipelineError(f"request {entry.id} is {entry.state}; `lethe request show {entry.id}` says why")
    if not own:
        show_served_elsewhere(order.request_id)
    return entry.state


@flow(name="pending", flow_run_name="pending requests")
@logged()
def pending(order: QueueOrder = ALL) -> int:
    """Serve all waiting requests, those due first before the others.

    Requests on one model that name the same kind of thing are unlearned together; each has its own
    certificate. Those that wait for others, as their model's policy lets them, are left for later. What a
    killed run left is resumed after the last stage that it pinned.

    Args:
        order: What to serve.

    Returns:
        How many requests were served.

    Raises:
        PipelineError: If any of them could not be served; the others were.
        SetupError: As for ``delete``.
        UnavailableError: As for ``delete``.
    """
    require_ready()
    worker, served, failed = worker_name(), 0, list[str]()
    rule = in_groups(most=order.together, model=order.model, patient=not order.at_once)
    while (turn := serve_next(here(), worker, rule, limit_s=order.limit_h * 3600)).requests:
        served += len(turn.requests)
        if isinstance(turn.failure, PASSING):
            raise turn.failure
        failed += [] if turn.failure is None else [str(turn.failure)]
    # Requests that came in while no server answered are offered from now on.
    offer(open_ledger(here()))
    tag_flow_run([], name=f"pending requests · {served} served")
    if failed:
        raise PipelineError("\n".join([f"some of {served} requests could not be served:", *failed]))
    return served


@flow(name="train", flow_run_name="{order.model}: train")
@logged()
def train(order: TrainingOrder) -> str:
    """Make the model that deletions start from, as its project's ``params.yaml`` says.

    Args:
        order: Which model.

    Returns:
        The digest of its weights.
    """
    return train_model(here(), order.model).weights


@flow(name="purge", flow_run_name="purge what is due")
@logged()
def purge() -> int:
    """Erase what served requests named, if the policy's time of grace has passed, and prove that it is gone.

    It works in the workers' clones, one model after another, and pushes what it changes. What is on hold, or
    was forgotten too recently, is left for a later day. Its worker needs credentials that may erase.

    Returns:
        Of how many requests an inventory of absence was signed.

    Raises:
        PipelineError: If any request that is due could not be purged, or something of it is left; the others
            were.
        SetupError: As for ``delete``.
        UnavailableError: As for ``delete``.
    """
    require_ready()
    done, failed = purge_due(here())
    tag_flow_run(request_tags(done), name=f"purge · {len(done)} purged")
    if failed:
        raise PipelineError("\n".join(["some requests could not be purged:", *failed]))
    return len(done)


@flow(name="verify", flow_run_name="verify all evidence")
@logged()
def verify() -> int:
    """Verify the ledger's chain, and the certificate and the evidence of every completed request.

    Returns:
        How many were verified.

    Raises:
        EvidenceError: If anything is missing, altered or not signed by a trusted key; each fault is listed.
    """
    checked = audit(here())
    title = "Evidence of every completed request"
    show_checked(checked, key="evidence", title=title, false="requests have evidence that is false")
    return len(checked)
