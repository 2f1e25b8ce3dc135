"""Enter deletion requests in the ledger, from what a person typed or from a file."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from tasks.checkout.checkout import Checkout
from tasks.checkout.environment import actor, find_checkout, now
from tasks.checkout.log import tell
from tasks.orchestration.events import announce
from tasks.orchestration.form import offer
from tasks.requests.bulk import Filed, read_requests
from tasks.requests.ledger.batches import keep_batch
from tasks.requests.ledger.changing import Draft
from tasks.requests.ledger.database import ledger_url
from tasks.requests.ledger.finding import open_ledger
from tasks.requests.ledger.ledger import Ledger, connect
from tasks.requests.ledger.noting import last_hold, note_event
from tasks.requests.request_file import (
    check_request,
    make_request,
    make_scope,
    preview_manifest,
)
from tasks.requests.rows import refuse
from tasks.requests.typed import told_as_typed
from unlearn_core.audit.deadlines import parse_received
from unlearn_core.errors import RequestError, SetupError
from unlearn_core.kinds import Basis
from unlearn_core.records.base import Sha256
from unlearn_core.records.ledger import Entry


@dataclass(frozen=True)
class Intake:
    """Where requests arrive.

    Attributes:
        root: The top folder of the project, if there is one; the ledger is opened when something is entered.
        model: The registered model that they are for.
        checkout: The checkout that makes this model, to check requests against its data; None elsewhere.
    """

    root: Path | None
    model: str
    checkout: Checkout | None

    @property
    def policy(self) -> Sha256 | None:
        """The digest of the policy as it is now, which the ledger keeps with a request."""
        return None if self.checkout is None else self.checkout.params.policy.digest


def open_intake(folder: Path, model: str | None) -> Intake:
    """Find out where the ledger is, and whether requests can be checked here; nothing is made.

    Args:
        folder: Where the command was given.
        model: The registered model; that of the checkout's ``params.yaml`` if None.

    Returns:
        Where the ledger is, the model, and the checkout if the model is made here.

    Raises:
        SetupError: If there is no ledger, or no model is named.
    """
    root = find_checkout(folder)
    ledger_url(root)
    checkout = None if root is None else Checkout(root)
    here = None if checkout is None else checkout.params.registry.model
    if (wanted := model or here) is None:
        raise SetupError("no model is named and there is no checkout here; give --model NAME")
    if wanted == here:
        return Intake(root, wanted, checkout)
    tell(f"· not checked: the data of {wanted} is not here; the worker that serves it checks")
    return Intake(root, wanted, None)


def submit_typed(
    folder: Path,
    request_id: str,
    *,
    classes: tuple[str, ...],
    samples: tuple[str, ...],
    subjects: tuple[str, ...],
    basis: Basis,
    received: str | None,
    model: str | None,
) -> Entry:
    """Check a request and enter it in the ledger.

    Args:
        folder: Where the command was given.
        request_id: The request's id.
        classes: Classes to forget.
        samples: Samples to forget.
        subjects: Subjects to forget.
        basis: The law that it is based on.
        received: When it arrived, as typed; now if None.
        model: The registered model; that of the checkout if None.

    Returns:
        The request as it stands.

    Raises:
        RequestError: If it is invalid, does not fit the data, or its id is taken; the ledger does not change.
    """
    scope = make_scope(classes=classes, samples=samples, subjects=subjects)
    when = None if received is None else parse_received(received, now())
    intake = open_intake(folder, model)
    request = make_request(request_id, scope, model=intake.model)
    if intake.checkout is not None:
        with told_as_typed(classes=classes, samples=samples, subjects=subjects):
            check_request(intake.checkout, request)
    draft = Draft(request, intake.model, basis=basis, received=when)
    return _enter(intake, [draft])[0]


def import_file(folder: Path, path: Path, *, model: str | None) -> tuple[Entry, ...]:
    """Check a file of requests and enter all of them, or none.

    Args:
        folder: Where the command was given.
        path: The file.
        model: The registered model; that of the checkout if None.

    Returns:
        The requests as they stand.

    Raises:
        RequestError: If any row is invalid, does not fit the data, or has a taken id; all are listed.
    """
    intake = open_intake(folder, model)
    requests = read_requests(path, model=intake.model, now=now())
    if intake.checkout is not None:
        refuse(path, _misfits(intake.checkout, requests))
    return _enter(intake, [one.draft for one in requests])


def _enter(intake: Intake, drafts: Sequence[Draft]) -> tuple[Entry, ...]:
    """Enter requests with the policy of this moment, then notify the deployment."""
    ledger = connect(intake.root)
    if intake.checkout is not None:
        keep_batch(ledger, intake.model, intake.checkout.params.policy.batch)
    entries = ledger.submit([replace(one, policy=intake.policy) for one in drafts], actor=actor())
    _notify(ledger, entries)
    return entries


def _notify(ledger: Ledger, entries: Sequence[Entry]) -> None:
    """Tell Prefect which requests came in, and what its form may offer now."""
    announce(entries)
    offer(ledger)


def cancel_request(folder: Path, request_id: str, *, reason: str) -> Entry:
    """Cancel a request that nobody has begun to serve.

    Args:
        folder: Where the command was given.
        request_id: The request's id.
        reason: Why.

    Returns:
        The request as it stands.

    Raises:
        RequestError: If it does not exist, or has been begun.
    """
    return _moved(folder, lambda ledger: ledger.cancel(request_id, actor=actor(), reason=reason))


def retry_request(folder: Path, request_id: str, *, reason: str) -> Entry:
    """Queue a failed request again, and notify the deployment.

    Args:
        folder: Where the command was given.
        request_id: The request's id.
        reason: Why it should succeed now.

    Returns:
        The request as it stands.

    Raises:
        RequestError: If it does not exist, or has not failed.
    """
    return _moved(folder, lambda ledger: ledger.retry(request_id, actor=actor(), reason=reason))


def notice(folder: Path, request_id: str, kind: Literal["hold", "release"], *, reason: str) -> Entry:
    """Hold a request, or end a hold.

    Args:
        folder: Where the command was given.
        request_id: The request's id.
        kind: Which of the two.
        reason: Why.

    Returns:
        The request as it stands: its state does not change.

    Raises:
        RequestError: If no ledger knows it, or it is held already, or is not.
    """
    ledger = open_ledger(folder)
    if (last_hold(ledger, request_id) is not None) == (kind == "hold"):
        raise RequestError(f"request {request_id!r} is {'held already' if kind == 'hold' else 'not held'}")
    note_event(ledger, request_id, kind, actor=actor(), reason=reason)
    return ledger.history(request_id)[0]


def _moved(folder: Path, move: Callable[[Ledger], Entry]) -> Entry:
    """Move a request in the ledger, then notify the deployment."""
    ledger = open_ledger(folder)
    entry = move(ledger)
    _notify(ledger, [entry])
    return entry


def _misfits(checkout: Checkout, requests: Sequence[Filed]) -> list[str]:
    """Return which requests do not fit the data, and why."""
    manifest, problems = preview_manifest(checkout), list[str]()
    for one in requests:
        try:
            check_request(checkout, one.draft.request, manifest=manifest)
        except RequestError as error:
            problems.append(one.by_line(str(error)))
    return problems
