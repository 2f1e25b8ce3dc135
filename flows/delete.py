"""Prefect flow ``delete``: one deletion request, or a group of them, from the data to certificates."""

import os
from pathlib import Path

from prefect import flow, task

from flows.approve import await_approval
from flows.stages.pipeline import DELETION, run_due
from flows.stages.unlearn import Hands, unlearn
from flows.train import prepare
from tasks.checkout.checkout import Checkout
from tasks.checkout.environment import require_checkout
from tasks.checkout.params import read_params
from tasks.computing.unlearning import attempt
from tasks.evidence.uploading import push_missing
from tasks.lifecycle.releases import find_served, read_release
from tasks.measuring.drift import measure_drift
from tasks.measuring.evaluation import assess
from tasks.orchestration.flow_runs import show_deletion, tag_deletion
from tasks.orchestration.task_runs import MEASURING, RETRIES, STAGE
from tasks.references.gathering import gather_references
from tasks.requests.claims import at_work
from tasks.requests.request_file import read_request
from tasks.storage.object_store import find_store
from tasks.tracking.auditing import log_ladder, log_rung, open_deletion
from tasks.tracking.closing import close_unapproved, explain_refusal
from unlearn_core.errors import GateError, RequestError
from unlearn_core.records.deletion import Released

HANDS = Hands(
    gather=task(name="compare", task_run_name="train models to compare with")(gather_references),
    attempt=task(name="unlearn", task_run_name="unlearn with {method.name}")(attempt),
    assess=task(**MEASURING)(assess),
    drift=task(name="measure", task_run_name="measure the drift")(measure_drift),
    log_rung=task(name="log", task_run_name="write down {rung.unlearning.name}", **RETRIES)(log_rung),
    log_ladder=task(name="log", task_run_name="write down all attempts", **RETRIES)(log_ladder),
)


@task(**STAGE, **RETRIES)
def serve(root: Path, name: str, *, anew: bool = False) -> bool:
    """Run one stage of the deletion where it is due, and pin its result."""
    return run_due(root, name, DELETION[name], anew=anew)


@task(name="store", task_run_name="store the evidence of {request_id}", **RETRIES)
def store_evidence(root: Path, request_id: str) -> None:
    """Complete the evidence of a served request in the store."""
    push_missing(Checkout(root), request_id)


@flow(
    name="delete",
    flow_run_name="delete {request_id}",
    description=(
        "Makes a model forget what a deletion request names: splits the data, tries one method after the "
        "other, measures each result against a model that was retrained without the data, and signs and "
        "registers the first that is accepted. If none is, the run fails, and the model in use stays."
    ),
    validate_parameters=False,
)
def delete(root: Path, request_id: str) -> tuple[Released, ...]:
    """Serve one deletion request, or a group by one run; the same on the same data is served once.

    Args:
        root: The checkout; ``params.yaml`` names the request.
        request_id: The id of the request or the group, the only part of it that a flow run stores.

    Returns:
        What was released, and where its evidence is: for the request, or for each member of the group.

    Raises:
        RequestError: If ``params.yaml`` names another request; nothing was changed.
        GateError: If no model was accepted, which the report explains, or a person who must approve did not.
    """
    # Relative: parameters and messages of errors are stored, and an absolute path may name a person.
    root = Path(os.path.relpath(require_checkout(root)))
    checkout = Checkout(root)
    tag_deletion(checkout, *_members(checkout, request_id))
    if (served := find_served(checkout, request_id)) is not None:
        for one in served:
            push_missing(checkout, one.outcome.request)
        return served
    if (named := read_params(root)["request"]) != request_id:
        raise RequestError(
            f"params.yaml names the request {named!r}, asked for is {request_id!r}; change either"
        )
    with at_work():
        prepare(root)
        serve(root, "split")
        try:
            run_due(root, "unlearn", lambda checkout: unlearn(checkout, HANDS))
        except GateError:
            explain_refusal(checkout, open_deletion(checkout), *_members(checkout, request_id))
            show_deletion(checkout, *_members(checkout, request_id))
            raise
    try:
        await_approval(checkout)
    except GateError as error:
        close_unapproved(checkout, open_deletion(checkout), str(error))
        raise
    # Evidence and registry are not pinned: a clone with a current lock may have neither.
    serve(root, "certify", anew=True)
    members = _members(checkout, request_id)
    for member in members if find_store() is not None else ():
        store_evidence(root, member)
    show_deletion(checkout, *members)
    return tuple(read_release(checkout, member) for member in members)


def _members(checkout: Checkout, request_id: str) -> tuple[str, ...]:
    """Return the ids of the requests that are served: the request's own, or those of a group's members."""
    if not checkout.request(request_id).is_file():
        return (request_id,)
    return tuple(single.id for single in read_request(checkout, request_id).singles)
