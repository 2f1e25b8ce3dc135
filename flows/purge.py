"""The verb ``purge``: what a served request named leaves every store, and an inventory shows that it did.

A purge has two phases. The first writes a plan: what is to be erased, and outlines by which all of it is
known again once it is gone. The second carries it out, store by store; whatever interrupts it, a repeat goes
on where it stopped.
"""

from collections.abc import Sequence

from tasks.checkout.checkout import Checkout
from tasks.checkout.environment import actor, now
from tasks.checkout.files import compact_database, write_record
from tasks.checkout.log import tell
from tasks.checkout.progress import announced, progress
from tasks.data.datasets import read_manifest
from tasks.evidence.purged import absence_shown, find_plan, keep_purge, purge_of
from tasks.evidence.verification import verify_bytes
from tasks.keys.signing import read_certificate, require_keys
from tasks.lifecycle.sparing import refuse_early, refuse_needed_by_held, spared, used_data
from tasks.lifecycle.standing import find_served
from tasks.report.page import write_report
from tasks.requests.holding import refuse_held
from tasks.requests.ledger.finding import find_ledger
from tasks.requests.ledger.noting import note_event
from tasks.requests.request_file import read_request
from tasks.traces.forgotten_rows import ForgottenRows
from tasks.traces.places import places_of, refuse_elsewhere
from tasks.traces.planning import found_again, make_plan, open_plan, what_to_purge
from tasks.traces.purging import carry_out, refuse_pinned
from tasks.traces.stored import SearchableStore
from tasks.traces.stores import not_searched, stores_of
from tasks.tracking.erasing import erase_versions
from tasks.tracking.runs import tracking_of
from tasks.tracking.server import local_database
from unlearn_core.audit.purging import previous_until, rows_lost
from unlearn_core.errors import RequestError
from unlearn_core.records.certificate import DeletionCertificate
from unlearn_core.records.inventory import Inventory
from unlearn_core.records.purge import ErasedStore, PurgePlan, PurgeRecord
from unlearn_core.records.request import DeletionRequest, RequestId


def purge(checkout: Checkout, request_id: RequestId) -> PurgeRecord:
    """Erase what a served request named, or finish that.

    Args:
        checkout: The checkout; the caller holds its lock.
        request_id: A served request, not a group.

    Returns:
        What was erased, and when.

    Raises:
        RequestError: If the request is not served, is held, or it is too early; nothing is erased.
    """
    request, certified = purgeable(checkout, request_id)
    refuse_held(checkout.root, request)
    record, plan = purge_of(checkout, request_id), find_plan(checkout, request_id)
    if record is not None and plan is None and isinstance(absence_shown(checkout, record), Inventory):
        tell(f"· request {request_id} was purged before, and its inventory stands; nothing was done")
        return record
    refuse_early(checkout, certified)
    stores = stores_of(checkout)
    if plan is None:
        plan = _first_plan(checkout, request, certified, stores)
    else:
        open_plan(plan)  # what is in a file is carried out only if this project's key sealed it
        if record is not None and record.finished is not None:
            plan = _plan_again(checkout, plan, certified, stores)
    if record is None or record.plan != plan.digest:
        _refuse_needed(checkout, plan)
        write_record(checkout.purge_plan(request_id), plan)
        record = _begun(checkout, plan, certified, record)
    return _carry_out(checkout, request, plan, record, stores)


def preview_purge(checkout: Checkout, request_id: RequestId) -> PurgePlan:
    """Return what a purge would erase now; nothing is changed.

    Args:
        checkout: The checkout; nobody needs to hold its lock.
        request_id: A served request, not a group.

    Returns:
        The plan.

    Raises:
        RequestError: If the purge would be refused.
    """
    request, certified = purgeable(checkout, request_id)
    refuse_held(checkout.root, request)
    refuse_early(checkout, certified)
    stores = stores_of(checkout)
    if (plan := find_plan(checkout, request_id)) is not None:
        return _plan_again(checkout, plan, certified, stores)
    plan = _first_plan(checkout, request, certified, stores)
    _refuse_needed(checkout, plan)
    return plan


def purgeable(checkout: Checkout, request_id: RequestId) -> tuple[DeletionRequest, DeletionCertificate]:
    """Return a request that can be purged, and its certificate.

    Args:
        checkout: The checkout.
        request_id: The request's id.

    Returns:
        Both.

    Raises:
        RequestError: If it is not served, or a group, whose members are purged each by itself.
    """
    require_keys()
    request = read_request(checkout, request_id)
    if request.members:
        members = ", ".join(one.id for one in request.singles)
        raise RequestError(f"{request_id!r} is a group of {members}; each is purged by itself, so name one")
    if find_served(checkout, request_id) is None:
        raise RequestError(
            f"request {request_id!r} is not served, so what it names is still needed; run "
            f"`lethe delete {request_id}` first"
        )
    return request, verify_bytes(read_certificate(checkout.certificate(request_id)))[0]


def _first_plan(
    checkout: Checkout,
    request: DeletionRequest,
    certified: DeletionCertificate,
    stores: Sequence[SearchableStore],
) -> PurgePlan:
    """Find the rows, and every trace of them."""
    sparing = spared(checkout, certified)
    asked = ForgottenRows(request, frozenset(read_manifest(used_data(checkout)).sample_ids.tolist()))
    with announced("rows"):
        found = what_to_purge(stores, asked, sparing)
    lost = rows_lost(certified, found.sought.rows_sought)
    if lost:
        tell(
            f"· {lost} of the rows that were forgotten are in no store at hand, so copies of them cannot be "
            "looked for; bring back the data set from a backup first, if there is one"
        )
    with progress("search") as on_step:
        return make_plan(
            checkout.root,
            stores,
            request.id,
            found,
            sparing=sparing,
            beyond=not_searched(),
            on_step=on_step,
            lost=lost,
        )


def _refuse_needed(checkout: Checkout, plan: PurgePlan) -> None:
    """Refuse to erase what the project still needs, or what another request is held for."""
    refuse_pinned(checkout.root, plan)
    refuse_needed_by_held(checkout, plan)


def _plan_again(
    checkout: Checkout, plan: PurgePlan, certified: DeletionCertificate, stores: Sequence[SearchableStore]
) -> PurgePlan:
    """Plan for what came back, or no longer has to wait; the plan itself if there is nothing of the kind."""
    key, sought = open_plan(plan)
    found = found_again(plan, sought)
    with progress("search") as on_step:
        fresh = make_plan(
            checkout.root,
            stores,
            plan.request,
            found,
            sparing=spared(checkout, certified),
            beyond=not_searched(),
            on_step=on_step,
            lost=plan.lost,
            key=key,
            earlier=plan.places,
        )
    return fresh if fresh.is_due or fresh.waiting != plan.waiting else plan


def _begun(
    checkout: Checkout, plan: PurgePlan, certified: DeletionCertificate, before: PurgeRecord | None
) -> PurgeRecord:
    """Write that a plan is begun; what an earlier one erased stays on record."""
    until = previous_until(certified.provenance.finished, checkout.params.policy.purge)
    record = PurgeRecord(
        request=plan.request,
        plan=plan.digest,
        started=plan.made if before is None else before.started,
        data=plan.data,
        models=plan.models,
        before=() if before is None else before.erased,
        previous_until=until if plan.waiting else None,
    )
    return keep_purge(checkout, record)


def _carry_out(
    checkout: Checkout,
    request: DeletionRequest,
    plan: PurgePlan,
    record: PurgeRecord,
    stores: Sequence[SearchableStore],
) -> PurgeRecord:
    """Erase what the plan says, and note each store when it is done."""
    if record.finished is not None:
        tell(f"· nothing of request {request.id} is left to erase")
        return record
    refuse_elsewhere(plan, places_of(checkout.root, stores, open_plan(plan)[0]))
    current = record

    def done(store: ErasedStore) -> None:
        nonlocal current
        current = current.changed(stores=(*current.stores, store))
        _note(checkout, request, plan, store)
        keep_purge(checkout, current)

    erased = erase_versions(tracking_of(checkout), plan.models, request=request.id, at=now())
    if erased:
        compact_database(local_database(checkout.root))
    names = {one.name for one in record.stores}
    with progress("erase") as on_step:
        carry_out(stores, plan, done=names, on_store=done, on_step=on_step)
    _prepare(checkout)
    current = keep_purge(checkout, current.changed(finished=now()))
    write_report(checkout, request.id)
    return current


def _prepare(checkout: Checkout) -> None:
    """Make what the pipeline had made of the data before of what it goes on from: the lock names it."""
    from flows.stages.pipeline import PREPARATION, run_due  # a proof does without torch's stages

    for name, stage in PREPARATION.items():
        run_due(checkout, name, stage)


def _note(checkout: Checkout, request: DeletionRequest, plan: PurgePlan, store: ErasedStore) -> None:
    """Add the event of a store to the ledger, once, if the ledger holds the request."""
    ledger = find_ledger(checkout.root)
    if ledger is None or not ledger.holds((request,)):
        return
    mark = f"{store.name}, by plan {plan.digest}: "
    events = ledger.history(request.id)[1]
    if not any(one.action == "purge" and (one.reason or "").startswith(mark) for one in events):
        reason = f"{mark}{store.erased} object(s) erased, {store.size} bytes"
        note_event(ledger, request.id, "purge", actor=actor(), reason=reason)
