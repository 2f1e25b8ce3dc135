"""The verb ``delete``: deletion requests, from the request to the certificates.

What ``delete`` does depends on the request's standing: new, unfinished, or served. ``deletion`` is the
Prefect flow that does the work.
"""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar, cast

from prefect import flow, task

from flows.approve import await_approval
from flows.stages.pipeline import DELETION, run_due, stage_due
from flows.stages.steps import Steps
from flows.stages.unlearn import climb_ladder
from flows.train import prepare_parent
from tasks.checkout.checkout import Checkout
from tasks.checkout.log import about, tell
from tasks.computing.unlearning import attempt
from tasks.evidence.uploading import push_missing
from tasks.lifecycle.cut_short import attended
from tasks.lifecycle.foreseeing import foresee, foresight_lines
from tasks.lifecycle.releases import read_release
from tasks.lifecycle.standing import New, Served, Unfinished, find_before, refuse_new, standing
from tasks.measuring.drift import measure_drift
from tasks.measuring.earlier import measure_earlier
from tasks.measuring.evaluation import assess
from tasks.orchestration.flow_runs import flow_run_id, is_run_of, show_deletion, tag_deletion
from tasks.orchestration.task_runs import MEASURING, RETRIES, STAGE
from tasks.references.gathering import gather_references
from tasks.requests.claims import at_work
from tasks.requests.request_file import read_request, submit_request
from tasks.storage.object_store import find_store
from tasks.tracking.auditing import log_ladder, log_rung, open_deletion
from tasks.tracking.closing import close_unapproved, explain_refusal
from unlearn_core.audit.grouping import make_one
from unlearn_core.errors import GateError, RequestError
from unlearn_core.records.deletion import Released
from unlearn_core.records.request import DeletionRequest, RequestId

F = TypeVar("F", bound=Callable[..., object])


def as_task(function: F, **options: Any) -> F:
    """Return a Prefect task that is called like the function it runs."""
    return cast(F, task(**options)(function))


_STEPS = Steps(
    gather=as_task(gather_references, name="compare", task_run_name="train models to compare with"),
    attempt=as_task(attempt, name="unlearn", task_run_name="unlearn with {method.name}"),
    assess=as_task(assess, **MEASURING),
    drift=as_task(measure_drift, name="measure", task_run_name="measure the drift"),
    earlier=as_task(measure_earlier, name="measure", task_run_name="ask for what was forgotten earlier"),
    log_rung=as_task(log_rung, name="log", task_run_name="write down {rung.unlearning.name}", **RETRIES),
    log_ladder=as_task(log_ladder, name="log", task_run_name="write down all attempts", **RETRIES),
)


def delete(checkout: Checkout, request: DeletionRequest) -> tuple[Released, ...]:
    """Serve a request, or a group by one unlearning run; what was served before is not served again.

    Args:
        checkout: The checkout; the caller holds its lock.
        request: The request or the group.

    Returns:
        What was released: one, or one for each member of a group in their order.

    Raises:
        RequestError: If the request does not fit the data, its id is taken, it was cancelled, or the champion
            has already forgotten something from this data; nothing changes.
        GateError: As ``deletion`` does.
    """
    with about(*(single.id for single in request.singles)):
        match standing(checkout, request):
            case Served(releases):
                return _repeat(checkout, request, releases)
            case Unfinished(begun):
                with attended(checkout):
                    released = _flow_for(begun)(checkout, begun.id)
                finished = {one.outcome.request: one for one in released}
                return tuple(finished[single.id] for single in request.singles)
            case New():
                refuse_new(checkout, request)
                with attended(checkout):
                    return _flow_for(request)(submit_request(checkout, request), request.id)


def _flow_for(request: DeletionRequest) -> Callable[[Checkout, RequestId], tuple[Released, ...]]:
    """Return what runs a deletion in the flow run that was started for it, else in one of its own."""
    return deletion.fn if is_run_of(single.id for single in request.singles) else deletion


def delete_together(checkout: Checkout, requests: Sequence[DeletionRequest]) -> tuple[Released, ...]:
    """Serve several requests by one unlearning run, each with its own certificate.

    Those that were served before are left out of the run.

    Args:
        checkout: The checkout; the caller holds its lock.
        requests: Single requests of one kind, at least one; a single one is served as such.

    Returns:
        What was released, in the order of the requests.

    Raises:
        RequestError: As in ``delete``, for any of them, or if they cannot be a group; nothing changes.
    """
    released, due = dict[str, Released](), list[DeletionRequest]()
    for one in make_one(requests).singles:
        if (before := find_before(checkout, one)) is None:
            due.append(one)
        else:
            (released[one.id],) = _repeat(checkout, one, before)
    if due:
        released |= {one.outcome.request: one for one in delete(checkout, make_one(due))}
    return tuple(released[single.id] for request in requests for single in request.singles)


def _repeat(
    checkout: Checkout, request: DeletionRequest, releases: tuple[Released, ...]
) -> tuple[Released, ...]:
    """Send what the store lacks of a request that was served before, and do nothing else."""
    for one in releases:
        push_missing(checkout, one.outcome.request)
    tell(f"· request {request.id} was served before; nothing was done")
    return releases


@task(**STAGE, **RETRIES)
def _run_stage(checkout: Checkout, name: str, *, anew: bool = False) -> None:
    """Run one stage of the deletion if it is due, and pin its result."""
    run_due(checkout, name, DELETION[name], anew=anew)


@task(name="store", task_run_name="store the evidence of {request_id}", **RETRIES)
def store_evidence(checkout: Checkout, request_id: str) -> None:
    """Complete the evidence of a served request in the store."""
    push_missing(checkout, request_id)


@flow(
    name="delete",
    flow_run_name="{checkout.params.registry.model}: delete {request_id}",
    description=(
        "Makes a model forget what a deletion request names: splits the data, tries one method after "
        "another, compares each result with a model that was retrained without the data, and signs and "
        "registers the first that is accepted. If none is, the run fails, and the model in use stays."
    ),
    validate_parameters=False,
)
def deletion(checkout: Checkout, request_id: str) -> tuple[Released, ...]:
    """Run a deletion from the first due stage to its evidence.

    Args:
        checkout: The checkout; ``params.yaml`` names the request. Its root is stored, so it must name nobody.
        request_id: The id of the request or the group, the only part of it that a flow run stores.

    Returns:
        What was released, and where its evidence is: for the request, or for each member of the group.

    Raises:
        RequestError: If ``params.yaml`` names another request; nothing was changed.
        GateError: If no model was accepted (the report explains why), or a person did not approve it.
    """
    if (named := checkout.params.request) != request_id:
        raise RequestError(
            f"params.yaml names request {named!r}, but {request_id!r} was asked for; change either"
        )
    members = tuple(single.id for single in read_request(checkout, request_id).singles)
    tag_deletion(checkout, *members)
    with about(*members, flow_run=flow_run_id()):
        with at_work():
            for line in foresight_lines(foresee(checkout, read_request(checkout, request_id))):
                tell(f"  {line}")
            prepare_parent(checkout)
            _run_stage(checkout, "split")
            try:
                with stage_due(checkout, "unlearn") as due:
                    if due:
                        climb_ladder(checkout, _STEPS)
            except GateError:
                explain_refusal(checkout, open_deletion(checkout), *members)
                show_deletion(checkout, *members)
                raise
        _certify(checkout, members)
    return tuple(read_release(checkout, member) for member in members)


def _certify(checkout: Checkout, members: tuple[str, ...]) -> None:
    """Wait for a person if the policy asks for one, then certify, store, and show the result."""
    try:
        await_approval(checkout)
    except GateError as error:
        close_unapproved(checkout, open_deletion(checkout), str(error))
        raise
    # Evidence and registry are not pinned: a clone whose lock is current may have neither.
    _run_stage(checkout, "certify", anew=True)
    for member in members if find_store() is not None else ():
        store_evidence(checkout, member)
    show_deletion(checkout, *members)
