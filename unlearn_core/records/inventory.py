"""The inventory of absence, which ends a purge, and the in-toto Statement that it travels in."""

from typing import Annotated, Literal, Self

from pydantic import Field

from unlearn_core.records.base import Record, Sha256, UtcTime
from unlearn_core.records.in_toto import InTotoStatement
from unlearn_core.records.request import RequestSummary
from unlearn_core.records.traces import SearchedStore, TraceKind

INVENTORY_TYPE = "tag:lethe.example,2025:inventory/v1"
"""A tag URI, as that of certificates is."""


class StoreInventory(SearchedStore):
    """One store, as it was searched for the inventory.

    Attributes:
        held: How many of its objects held a trace before the purge.
        erased: How many objects were erased.
        erased_at: When; None if nothing had to be.
        remaining: How many objects hold a trace now; ``remains`` says why.
        control: How many objects were found by the control record, which was not deleted.
    """

    held: int = Field(ge=0)
    erased: int = Field(ge=0)
    erased_at: UtcTime | None
    remaining: int = Field(ge=0)
    control: int = Field(ge=0)


class Remaining(Record):
    """Objects that still hold a trace, for one reason.

    Attributes:
        store: The store's name.
        kinds: What they hold.
        objects: How many they are.
        why: Why they stay.
        is_record: Whether they are records of the request, which say nothing without the key.
    """

    store: str
    kinds: tuple[TraceKind, ...]
    objects: int = Field(ge=1)
    why: str
    is_record: bool


class Inventory(Record):
    """The predicate: what was looked for in which stores after a purge, and what was found.

    Attributes:
        request: The request, without what it names.
        certificate: The digest of the certificate of its deletion.
        plan: The digest of the plan that was carried out.
        rows: How many rows were looked for.
        lost: How many of the forgotten rows no store had, so that they could not be looked for.
        sought: How many byte strings of each kind were looked for.
        data: The digests of the data sets that were erased.
        models: The digests of the models that were erased.
        stores: The stores.
        elsewhere: The names of stores and servers that were others when the purge was planned: what was there
            is not searched.
        remains: What still holds a trace, and why.
        beyond: What was not searched.
        unsearchable: How many byte strings are too short or too uniform to be looked for.
        started: When the search began.
        finished: When it ended.
        complete: Whether all rows were looked for, in all that was purged, and nothing is left but records of
            the request.
    """

    schema_version: Literal["lethe.inventory/1"]
    request: RequestSummary
    certificate: Sha256
    plan: Sha256
    rows: int = Field(ge=0)
    lost: int = Field(default=0, ge=0, exclude_if=lambda lost: not lost)
    sought: dict[TraceKind, Annotated[int, Field(ge=1)]]
    data: tuple[Sha256, ...]
    models: tuple[Sha256, ...]
    stores: tuple[StoreInventory, ...] = Field(min_length=1)
    elsewhere: tuple[str, ...] = Field(default=(), exclude_if=lambda names: not names)
    remains: tuple[Remaining, ...]
    beyond: tuple[str, ...]
    unsearchable: int = Field(ge=0)
    started: UtcTime
    finished: UtcTime
    complete: bool


class InventoryStatement(InTotoStatement):
    """An in-toto Statement v1 about the certificate whose data were erased."""

    predicate_type: Literal["tag:lethe.example,2025:inventory/v1"] = Field(alias="predicateType")
    predicate: Inventory

    @classmethod
    def of(cls, inventory: Inventory, *, name: str) -> Self:
        """Make the statement of an inventory about its certificate, which is called by a name."""
        return cls.about(inventory.certificate, name=name, predicateType=INVENTORY_TYPE, predicate=inventory)
