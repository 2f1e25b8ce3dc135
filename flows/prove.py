"""The verb ``purge --prove``: every store is searched again, and the inventory is signed."""

from flows.purge import purgeable
from tasks.checkout.checkout import CERTIFICATE, Checkout
from tasks.checkout.files import write_atomically
from tasks.checkout.progress import progress
from tasks.evidence.inventories import sign_inventory
from tasks.evidence.purged import absence_shown, find_plan, keep_purge, purge_of
from tasks.keys.signing import read_certificate
from tasks.lifecycle.sparing import spared, used_data
from tasks.report.page import write_report
from tasks.traces.proving import take_inventory
from tasks.traces.purging import require_at_hand
from tasks.traces.stores import not_searched, stores_of
from unlearn_core.errors import SetupError
from unlearn_core.records.base import sha256
from unlearn_core.records.inventory import Inventory
from unlearn_core.records.request import RequestId


def prove(checkout: Checkout, request_id: RequestId) -> Inventory:
    """Search every store for what was purged, and sign the inventory.

    Once it is complete, what was looked for is erased, too.

    Args:
        checkout: The checkout; the caller holds its lock.
        request_id: A purged request, not a group.

    Returns:
        The inventory.

    Raises:
        SetupError: If nothing was purged, or the inventory stands already.
        EvidenceError: If something is found that should be gone; nothing is signed.
    """
    request, certified = purgeable(checkout, request_id)
    record, plan = purge_of(checkout, request_id), find_plan(checkout, request_id)
    if record is not None and plan is None and isinstance(absence_shown(checkout, record), Inventory):
        raise SetupError(
            f"the inventory of request {request_id!r} stands since {record.proved}, and what was looked for "
            f"is erased; verify it with `lethe-verify {checkout.inventory(request_id)}`"
        )
    if record is None or record.finished is None or plan is None:
        raise SetupError(f"request {request_id!r} is not purged; run `lethe purge {request_id}` first")
    if record.plan != plan.digest:
        raise SetupError(
            f"the plan of request {request_id!r} is not the one that was carried out; run `lethe purge "
            f"{request_id}` again"
        )
    stores = stores_of(checkout)
    require_at_hand(stores, plan)
    with progress("search") as on_step:
        inventory = take_inventory(
            checkout.root,
            stores,
            plan,
            record,
            sparing=spared(checkout, certified),
            control=used_data(checkout),
            on_step=on_step,
            request=request.summary,
            certificate=sha256(read_certificate(checkout.certificate(request_id))),
            beyond=not_searched(),
        )
    signed = sign_inventory(inventory, name=CERTIFICATE)
    write_atomically(checkout.inventory(request_id), signed)
    if inventory.complete:
        stands = record.changed(inventory=sha256(signed), proved=inventory.finished, previous_until=None)
        keep_purge(checkout, stands)
        checkout.purge_plan(request_id).unlink()
    write_report(checkout, request_id)
    return inventory
