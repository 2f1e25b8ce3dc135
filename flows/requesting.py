"""From what a person typed to a served request."""

import os
from pathlib import Path

from flows.delete import delete
from tasks.environment import require_checkout, sole_use
from tasks.evidence import push_missing
from tasks.layout import Layout
from tasks.object_store import find_store
from tasks.params import read_section
from tasks.progress import tell
from tasks.registry import refuse_undoing
from tasks.releases import ancestry, find_release
from tasks.requests import (
    check_request,
    is_known,
    make_request,
    make_scope,
    named_as_typed,
    read_request,
    submit_request,
)
from tasks.signing import require_keys
from tasks.tracking import connect
from unlearn_core.errors import RequestError
from unlearn_core.records.deletion import Released
from unlearn_core.records.params import RegistryParams


def serve_request(
    root: Path,
    request_id: str,
    *,
    classes: tuple[str, ...] = (),
    samples: tuple[str, ...] = (),
    subjects: tuple[str, ...] = (),
) -> Released:
    """Serve a request by its id, making it first if a scope is given.

    Args:
        root: The checkout.
        request_id: The request's id.
        classes: Classes to forget.
        samples: Samples to forget.
        subjects: Subjects to forget.

    Returns:
        What was released.

    Raises:
        RequestError: If the request does not fit the data, its id is taken, or the champion has forgotten
            something from this data already; nothing changes.
        SetupError: If keys are missing, the evidence store cannot be used, or another process is at work
            here; nothing changes.
    """
    layout = Layout(require_checkout(root))
    require_keys()
    if (store := find_store()) is not None:
        store.require()
    with sole_use(layout.root):
        return _serve(layout, request_id, classes=classes, samples=samples, subjects=subjects)


def _serve(
    layout: Layout,
    request_id: str,
    *,
    classes: tuple[str, ...],
    samples: tuple[str, ...],
    subjects: tuple[str, ...],
) -> Released:
    """Serve a request in a checkout that nobody else works in."""
    if classes or samples or subjects:
        request = make_request(request_id, make_scope(classes=classes, samples=samples, subjects=subjects))
    else:
        request = read_request(layout, request_id)
    if is_known(layout, request) and (served := find_release(layout, request_id)) is not None:
        push_missing(layout, request_id)
        tell(f"· request {request_id} was served before; nothing was done")
        return served
    try:
        check_request(layout, request)
    except RequestError as error:
        raise RequestError(named_as_typed(str(error), samples=samples, subjects=subjects)) from None
    name = read_section(layout.root, "registry", RegistryParams).model
    refuse_undoing(connect(layout.root), name, request_id=request_id, ancestry=ancestry(layout))
    submit_request(layout, request)
    # Flow parameters are stored, and the absolute path of a home folder may name a person.
    return delete(Path(os.path.relpath(layout.root)), request_id)
