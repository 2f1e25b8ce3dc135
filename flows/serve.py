"""From what a person or the ledger asked for to served requests."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flows.delete import delete
from tasks.checkout.checkout import Checkout
from tasks.checkout.environment import require_checkout, sole_use
from tasks.checkout.params import read_section
from tasks.checkout.progress import tell
from tasks.evidence.uploading import push_missing
from tasks.keys.signing import require_keys
from tasks.lifecycle.releases import ancestry, find_served, find_unfinished
from tasks.requests.grouping import make_one
from tasks.requests.request_file import (
    check_request,
    is_known,
    make_request,
    make_scope,
    named_as_typed,
    read_request,
    submit_request,
)
from tasks.storage.object_store import find_store
from tasks.tracking.registry import refuse_undoing
from tasks.tracking.runs import connect
from unlearn_core.errors import RequestError
from unlearn_core.records.deletion import Released
from unlearn_core.records.params import RegistryParams
from unlearn_core.records.request import DeletionRequest, RequestId


def serve_request(
    root: Path,
    request_id: str,
    *,
    classes: tuple[str, ...] = (),
    samples: tuple[str, ...] = (),
    subjects: tuple[str, ...] = (),
) -> tuple[Released, ...]:
    """Serve a request by its id, making it first if a scope is given.

    Args:
        root: The checkout.
        request_id: The id of a request, or of a group that was made before.
        classes: Classes to forget.
        samples: Samples to forget.
        subjects: Subjects to forget.

    Returns:
        What was released: one, or for a group one for each member.

    Raises:
        RequestError: If the request does not fit the data, its id is taken, or the champion has forgotten
            something from this data already; nothing changes.
        SetupError: If keys are missing, the evidence store or the ledger cannot be used, or another process
            is at work here; nothing changes.
    """
    with _sole_layout(root) as checkout:
        if not (classes or samples or subjects):
            return _serve(checkout, read_request(checkout, request_id))
        request = make_request(request_id, make_scope(classes=classes, samples=samples, subjects=subjects))
        try:
            return _serve(checkout, request)
        except RequestError as error:
            raise RequestError(named_as_typed(str(error), samples=samples, subjects=subjects)) from None


def serve_group(root: Path, requests: tuple[DeletionRequest, ...]) -> tuple[Released, ...]:
    """Serve several requests by one unlearning run, each with a certificate of its own.

    Those that were served before are left out of the run, and a run that was cut short is taken up again.

    Args:
        root: The checkout.
        requests: Single requests of one kind, at least one; a single one is served as such.

    Returns:
        What was released, in the order of the requests.

    Raises:
        RequestError: As ``serve_request`` does, for all or any of them, or if they cannot be a group; nothing
            changes.
        SetupError: As ``serve_request`` does; nothing changes.
    """
    with _sole_layout(root) as checkout:
        asked = make_one(requests).singles
        found = {single.id: _find_served(checkout, single) for single in asked}
        if due := [single for single in asked if found[single.id] is None]:
            served = {one.outcome.request: one for one in _serve(checkout, make_one(due))}
            found |= {single.id: (served[single.id],) for single in due}
        singles = (single for request in requests for single in request.singles)
        return tuple(one for single in singles for one in found[single.id] or ())


def require_ready() -> None:
    """Refuse to begin what could not be ended here: signed, and stored.

    Raises:
        SetupError: If keys are missing, or the bucket cannot be used.
        UnavailableError: If the bucket does not answer.
    """
    require_keys()
    if (store := find_store()) is not None:
        store.require()


@contextmanager
def _sole_layout(root: Path) -> Iterator[Checkout]:
    """Work alone in a checkout."""
    checkout = Checkout(require_checkout(root))
    require_ready()
    with sole_use(checkout.root):
        yield checkout


def _serve(checkout: Checkout, request: DeletionRequest) -> tuple[Released, ...]:
    """Serve a request or a group in a checkout that nobody else works in."""
    if (served := _find_served(checkout, request)) is not None:
        return served
    check_request(checkout, request)
    if (begun := find_unfinished(checkout)) is not None and set(request.singles) <= set(begun.singles):
        served = {one.outcome.request: one for one in _delete(checkout, begun.id)}
        return tuple(served[single.id] for single in request.singles)
    name = read_section(checkout.root, "registry", RegistryParams).model
    refuse_undoing(connect(checkout.root), name, request_id=request.id, ancestry=ancestry(checkout))
    submit_request(checkout, request)
    return _delete(checkout, request.id)


def _find_served(checkout: Checkout, request: DeletionRequest) -> tuple[Released, ...] | None:
    """Find what was released for this very request before; what is missing of it in the store is sent."""
    if not is_known(checkout, request) or (served := find_served(checkout, request.id)) is None:
        return None
    for one in served:
        push_missing(checkout, one.outcome.request)
    tell(f"· request {request.id} was served before; nothing was done")
    return served


def _delete(checkout: Checkout, request_id: RequestId) -> tuple[Released, ...]:
    # Flow parameters are stored, and the absolute path of a home folder may name a person.
    return delete(Path(os.path.relpath(checkout.root)), request_id)
