"""An inventory of absence about a certificate, without a purge: for those who read inventories."""

from unlearn_core.audit.countersigning import take_apart
from unlearn_core.audit.envelope import decode_envelope, read_statement
from unlearn_core.records.base import sha256
from unlearn_core.records.inventory import Inventory, Remaining, StoreInventory

AT = "2026-11-30T12:00:00Z"


def inventory_of(certificate, /, **changes):
    """Return a complete inventory about a certificate's content, or one with other values."""
    issued, _ = take_apart(certificate)
    store = StoreInventory(
        name="project", place="this project", objects=9, size=900, held=2, erased=2,
        erased_at=AT, remaining=0, control=1,
    )  # fmt: skip
    values = {
        "schema_version": "lethe.inventory/1",
        "request": read_statement(decode_envelope(issued).payload).predicate.request,
        "certificate": sha256(certificate),
        "plan": sha256(b"plan"),
        "rows": 2,
        "sought": {"image": 2},
        "data": (),
        "models": (),
        "stores": (store,),
        "remains": (),
        "beyond": (),
        "unsearchable": 0,
        "started": AT,
        "finished": AT,
        "complete": True,
    }
    return Inventory(**(values | changes))


def incomplete(certificate):
    """Return an inventory that found something which has to wait."""
    whole = inventory_of(certificate)
    (store,) = whole.stores
    rest = Remaining(store="project", kinds=("image",), objects=1, why="kept to go back to", is_record=False)
    stores = (StoreInventory(**{**dict(store), "remaining": 1}),)
    return inventory_of(certificate, stores=stores, remains=(rest,), complete=False)
