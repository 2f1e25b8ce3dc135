"""The inventory of absence, which ends a purge, and the in-toto Statement that it travels in."""

from typing import Annotated, Literal, Self

from pydantic import Field

from unlearn_core.records.base import HexDigest, Record, Sha256, UtcTime, canonical_json
from unlearn_core.records.certificate import STATEMENT_TYPE, StatementSubject, SubjectDigest
from unlearn_core.records.request import RequestSummary
from unlearn_core.records.traces import TraceKind

INVENTORY_TYPE = "tag:lethe.example,2025:inventory/v1"
"""A tag URI, as that of certificates is."""


class StoreInventory(Record):
    """One store, as it was searched for the inventory.

    Attributes:
        name: The store's name.
        place: Where it is, in words.
        objects: How many objects were read.
        size: How many bytes that was.
        held: How many of its objects held a trace before the purge.
        erased: How many objects were erased.
        erased_at: When; None if nothing had to be.
        remaining: How many objects hold a trace now; ``remains`` says why.
        control: How many objects were found by the control record, which was not deleted.
    """

    name: str
    place: str
    objects: int = Field(ge=0)
    size: int = Field(ge=0)
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
        sought: How many byte strings of each kind were looked for.
        data: The digests of the data sets that were erased.
        models: The digests of the models that were erased.
        stores: The stores.
        remains: What still holds a trace, and why.
        beyond: What was not searched.
        unsearchable: How many byte strings are too short or too uniform to be looked for.
        started: When the search began.
        finished: When it ended.
        complete: Whether nothing is left but records of the request.
    """

    schema_version: Literal["lethe.inventory/1"]
    request: RequestSummary
    certificate: Sha256
    plan: Sha256
    rows: int = Field(ge=0)
    sought: dict[TraceKind, Annotated[int, Field(ge=1)]]
    data: tuple[Sha256, ...]
    models: tuple[Sha256, ...]
    stores: tuple[StoreInventory, ...] = Field(min_length=1)
    remains: tuple[Remaining, ...]
    beyond: tuple[str, ...]
    unsearchable: int = Field(ge=0)
    started: UtcTime
    finished: UtcTime
    complete: bool


class InventoryStatement(Record):
    """An in-toto Statement v1 about the certificate whose data were erased."""

    statement_type: Literal["https://in-toto.io/Statement/v1"] = Field(alias="_type")
    predicate_type: Literal["tag:lethe.example,2025:inventory/v1"] = Field(alias="predicateType")
    subject: tuple[StatementSubject, ...] = Field(min_length=1, max_length=1)
    predicate: Inventory

    @classmethod
    def of(cls, inventory: Inventory, *, name: str) -> Self:
        """Make the statement of an inventory about its certificate, which is called by a name."""
        digest: HexDigest = inventory.certificate.removeprefix("sha256:")
        subject = StatementSubject(name=name, digest=SubjectDigest(sha256=digest))
        return cls(
            _type=STATEMENT_TYPE, predicateType=INVENTORY_TYPE, subject=(subject,), predicate=inventory
        )

    def canonical(self) -> bytes:
        """Return the canonical JSON, with the keys that in-toto prescribes."""
        return canonical_json(self.model_dump(mode="json", by_alias=True))
