"""``lethe delete``: one deletion request, or a group of them."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flows.cli.options import (
    ClassOptions,
    Json,
    Names,
    RequestArgument,
    SampleOptions,
    SubjectOptions,
    names_typed,
)
from flows.cli.output import Output

if TYPE_CHECKING:
    from unlearn_core.records.deletion import Released
    from unlearn_core.records.evaluation import TimeSpent


def command(
    request_id: RequestArgument,
    classes: ClassOptions = None,
    samples: SampleOptions = None,
    subjects: SubjectOptions = None,
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be done, and change nothing.")
    ] = False,
    json: Json = False,
) -> None:
    """Serve one deletion request: unlearn, judge, register, certify.

    A new request is given by its scope, e.g. `lethe delete r-17 --class 3`; classes, samples and persons may
    be named together. One in `requests/`, which may be a group, is given only by its id. Ids of samples and
    subjects become pseudonyms immediately. The first method on the policy's ladder that the gate accepts is
    used. A request that was served before is not served again.
    """
    from tasks.checkout.checkout import Checkout
    from tasks.checkout.log import about
    from tasks.checkout.progress import signs_of_life
    from tasks.lifecycle.refusals import require_fitting, require_ready
    from tasks.requests.request_file import typed_request
    from tasks.requests.typed import told_as_typed

    if dry_run:
        _tell_foresight(request_id, classes, samples, subjects, json=json)
        return
    named = names_typed(classes, samples, subjects)
    with (
        about(request_id),
        Checkout.open(Path.cwd()) as checkout,
        signs_of_life(f"delete {request_id}"),
        told_as_typed(**named),
    ):
        request = typed_request(checkout, request_id, **named)
        require_fitting(checkout, request)
        require_ready()
        from flows.delete import delete
        from tasks.computing.costs import read_time

        released = delete(checkout, request)
        spent = read_time(checkout, request.id)
    values = [one.model_dump(mode="json") for one in released]
    told = partial(tell_released, *released, spent=spent)
    Output(json).give(values if len(values) > 1 else values[0], told)


def _tell_foresight(request_id: str, classes: Names, samples: Names, subjects: Names, *, json: bool) -> None:
    """Say what a deletion would do; nothing is changed, and nobody is kept from working."""
    from tasks.checkout.checkout import Checkout
    from tasks.lifecycle.refusals import require_fitting
    from tasks.requests.request_file import typed_request
    from tasks.requests.typed import told_as_typed

    checkout = Checkout.find(Path.cwd())
    named = names_typed(classes, samples, subjects)
    with told_as_typed(**named):
        request = typed_request(checkout, request_id, **named)
        require_fitting(checkout, request)
        from tasks.lifecycle.foreseeing import foresee, foresight_lines
        from tasks.lifecycle.standing import refuse_as_deletion_would

        refuse_as_deletion_would(checkout, request)
        found = foresee(checkout, request)
    Output(json).give(found.model_dump(mode="json"), lambda: "\n".join(foresight_lines(found)))


def tell_released(*released: "Released", spent: "TimeSpent | None") -> str:
    """Return the result of a deletion of one or several requests, and how to keep it and continue.

    Args:
        *released: What was released.
        spent: Where the time went, if that is known here.

    Returns:
        Lines for a terminal.
    """
    from tasks.report.price import time_lines

    outcome, shared = released[0].outcome, released[0]
    served = outcome.request if shared.group is None else shared.group.id
    note = [f"note         {outcome.note}"] if outcome.note else []
    earlier = [f"earlier      {one.request}: {one.in_words}" for one in outcome.earlier]
    lines = [
        f"request      {served}: {outcome.in_words}, evidence level {outcome.level}",
        f"method       {outcome.method}",
        f"registered   {shared.registered_model} version {shared.registered_version}, alias champion",
        *(f"certificate  {one.certificate}" for one in released),
        tell_kept(shared.registered_model, *(one.outcome.request for one in released)),
        f"model        {outcome.model}",
        *note,
        *earlier,
        *time_lines(spent),
        "",
        f"read it      lethe report {outcome.request} --open",
        f"keep it      git add params.yaml dvc.lock && git commit -m 'Delete {served}'",
        "next         lethe next",
        f"then         lethe purge {outcome.request}: the model is unlearned, the data is not yet erased",
    ]
    return "\n".join(lines)


def tell_kept(model: str, *requests: str) -> str:
    """Return where certificates are kept besides this folder, or how they outlive it.

    Args:
        model: The registered model.
        *requests: The requests that were certified.

    Returns:
        A line for a terminal, or two.
    """
    from tasks.storage.object_store import find_store

    if (store := find_store()) is not None:
        return f"stored       {', '.join(store.address(f'{model}/{one}/') for one in requests)}"
    folders, one = " ".join(f"evidence/{one}" for one in requests), "REQUEST" if requests[1:] else requests[0]
    return (
        f"kept         only here: git does not hold evidence/. Copy {folders} to a place that outlives this\n"
        f"             folder, or name a bucket in LETHE_S3_BUCKET and run `lethe evidence push {one}`"
    )
