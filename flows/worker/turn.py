"""One turn of a worker: claim what is next, serve it in one run, record the result."""

import os
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from flows.delete import delete_together
from flows.train import train_here
from tasks.checkout.checkout import Checkout
from tasks.checkout.files import read_record
from tasks.checkout.log import about, tell, tell_error
from tasks.checkout.patience import TURN
from tasks.lifecycle.cut_short import attended
from tasks.lifecycle.projects import Project, open_project, prepare_project
from tasks.lifecycle.publishing import publish, publish_training
from tasks.lifecycle.refusals import require_ready
from tasks.orchestration.flow_runs import end_orphans, flow_run_id, tagged
from tasks.orchestration.form import offer
from tasks.requests.claims import Lease, device, hold, lease_s
from tasks.requests.ledger.batches import keep_batch
from tasks.requests.ledger.finding import open_ledger
from tasks.requests.request_file import check_request, preview_manifest
from unlearn_core.audit.grouping import make_one
from unlearn_core.audit.queueing import Rule
from unlearn_core.errors import LetheError, RequestError
from unlearn_core.records.artifact import CheckpointCard
from unlearn_core.records.deletion import Outcome, Released
from unlearn_core.records.ledger import Entry
from unlearn_core.records.request import RequestId


@dataclass(frozen=True)
class Turn:
    """The result of one turn.

    Attributes:
        requests: What was claimed; empty if there is nothing to do now.
        failure: Why not all of it was served, as the ledger says, too; None if all of it was.
    """

    requests: tuple[RequestId, ...]
    failure: LetheError | None = None


def serve_next(folder: Path, worker: str, rule: Rule, *, limit_s: float) -> Turn:
    """Claim what a rule chooses, and serve it.

    Args:
        folder: Where the worker was started.
        worker: Its name; no two processes share one.
        rule: The rule.
        limit_s: How long the computing may take, in seconds.

    Returns:
        The turn; its errors are in it, not raised.
    """
    ledger = open_ledger(folder)
    entries = ledger.claim(worker, rule, lease_s=lease_s())
    claimed = tuple(entry.id for entry in entries)
    if not entries:
        return Turn(claimed)
    offer(ledger)
    failure = None
    with about(*claimed, flow_run=flow_run_id()):
        tell(f"· {', '.join(claimed)} of {entries[0].submission.model}")
        try:
            with hold(ledger, entries, worker, limit_s=limit_s) as claim, tagged(claimed):
                end_orphans(entry.id for entry in entries if entry.attempts > 1)
                TURN.ask(partial(_serve, folder, claim))
        except LetheError as error:
            tell_error(error)
            failure = error
    # What was given back waits again.
    offer(ledger)
    return Turn(claimed, failure)


def _serve(folder: Path, claim: Lease) -> None:
    """Serve what is claimed in the project of its model, holding the checkout's lock."""
    require_ready()
    with open_project(folder, claim.entries[0].submission.model) as project:
        checkout = _prepare(project, claim.entries)
        # Whoever enters a request elsewhere has no checkout to read it from.
        keep_batch(claim.ledger, claim.entries[0].submission.model, checkout.params.policy.batch)
        if misfits := _fail_misfits(checkout, claim):
            if not claim.entries:
                raise RequestError("\n".join(misfits))
            checkout = _prepare(project, claim.entries)
        entries = claim.entries
        releases = delete_together(checkout, tuple(entry.submission.request for entry in entries))
        if project.branch is not None:
            publish(checkout, read_record(checkout.outcome, Outcome).request, branch=project.branch)
        for entry, released in zip(entries, releases, strict=True):
            claim.complete(entry, reason=_told(released))
    if misfits:
        raise RequestError("\n".join(misfits))


def _prepare(project: Project, entries: tuple[Entry, ...]) -> Checkout:
    return prepare_project(project, make_one([entry.submission.request for entry in entries]).id)


def _fail_misfits(checkout: Checkout, claim: Lease) -> list[str]:
    """Fail each request that does not fit the data, so that its group does not fail with it."""
    manifest, misfits = preview_manifest(checkout), list[str]()
    for entry in claim.entries:
        try:
            check_request(checkout, entry.submission.request, manifest=manifest)
        except RequestError as error:
            claim.fail(entry, reason=str(error))
            misfits.append(f"{entry.id}: {error}")
    return misfits


def _told(released: Released) -> str:
    """Describe the result of a request in one line."""
    outcome = released.outcome
    return (
        f"{outcome.method}: {outcome.in_words}, {released.registered_model} version "
        f"{released.registered_version}, certificate {released.certificate_digest}"
    )


def worker_name() -> str:
    """Return a unique name: the flow run's id, else this process's number."""
    run = flow_run_id()
    return f"flow run {run}" if run else f"process {os.getpid()}"


def train_model(folder: Path, model: str) -> CheckpointCard:
    """Make the model that deletions start from, in its project and the current flow run.

    Args:
        folder: Where the worker was started.
        model: The registered model's name.

    Returns:
        The parent's card.
    """
    with open_project(folder, model) as project:
        checkout = prepare_project(project)
        with device(), attended(checkout):
            card = train_here(checkout)
        if project.branch is not None:
            publish_training(checkout, model, branch=project.branch)
    return card
