"""The purge of a request: what goes and what stays, and how far it has come."""

from typing import Any, Literal, Self

from pydantic import Field

from unlearn_core.records.base import Record, Sha256, UtcTime
from unlearn_core.records.request import RequestId
from unlearn_core.records.traces import SearchedStore, TraceKind

Handling = Literal["erase", "compact", "record", "wait", "not_ours"]
"""What a purge does about a trace: it erases the object, or only compacts a database that holds what was
deleted from it; it leaves it as a *record* of the request, which hinders nothing; it has to *wait*; or it may
not touch it, since it is not Lethe's to erase."""


class PurgedObject(Record):
    """An object that holds a trace, and what is done about it.

    Attributes:
        store: The store's name.
        address: Its address there.
        size: Its bytes.
        kinds: What it holds; empty if it only belongs to what does.
        treatment: What a purge does about it.
        why: Why.
    """

    store: str
    address: str
    size: int = Field(ge=0)
    kinds: tuple[TraceKind, ...]
    treatment: Handling
    why: str


class PurgePlan(Record):
    """What a purge will do, written before anything is erased.

    Attributes:
        request: The request.
        made: When it was planned.
        rows: How many rows are erased; in all data sets the same row is one.
        lost: How many of the forgotten rows no store has, so that nobody can look for copies of them.
        data: The digests of the data sets that hold them.
        models: The digests of the models that go.
        moments: The digests of the second moments that go.
        waiting: The digests of the models that go later.
        stores: The stores, and what was read of them.
        places: Where each store and server was, in this plan and those before it: keyed digests, by name.
        objects: The objects, in the order of the stores.
        beyond: What no search reaches, each with what to tell its owner.
        unsearchable: How many byte strings are too short or too uniform to be looked for.
        outlines: What to look for, sealed: neither an image nor an id can be read from it.
    """

    schema_version: Literal["lethe.purge-plan/1"] = "lethe.purge-plan/1"
    request: RequestId
    made: UtcTime
    rows: int = Field(ge=0)
    lost: int = Field(default=0, ge=0, exclude_if=lambda lost: not lost)
    data: tuple[Sha256, ...]
    models: tuple[Sha256, ...]
    moments: tuple[Sha256, ...]
    waiting: tuple[Sha256, ...]
    stores: tuple[SearchedStore, ...]
    places: dict[str, tuple[str, ...]] = Field(default_factory=dict, exclude_if=lambda places: not places)
    objects: tuple[PurgedObject, ...]
    beyond: tuple[str, ...]
    unsearchable: int = Field(ge=0)
    outlines: str

    def of_store(self, name: str, *treatments: Handling) -> tuple[PurgedObject, ...]:
        """Return the objects of a store that are treated in one of some ways."""
        return tuple(one for one in self.objects if one.store == name and one.treatment in treatments)

    def sealed(self, outlines: str) -> Self:
        """Return the same plan with other outlines; without any it is what they are sealed with."""
        values: dict[str, Any] = {**dict(self), "outlines": outlines}
        return type(self)(**values)

    @property
    def is_due(self) -> bool:
        """Whether anything is to be erased."""
        return any(one.treatment in {"erase", "compact"} for one in self.objects)


class ErasedStore(Record):
    """What was erased in one store, and when.

    Attributes:
        name: The store's name.
        place: Where it is, in words.
        held: How many objects held a trace.
        erased: How many objects were erased.
        left: How many objects with a trace were left: records of the request, and what has to wait.
        size: How many bytes were erased.
        at: When the store was done.
        refused: Objects that the store refused to erase, by the reason.
    """

    name: str
    place: str
    held: int = Field(ge=0)
    erased: int = Field(ge=0)
    left: int = Field(ge=0)
    size: int = Field(ge=0)
    at: UtcTime
    refused: dict[str, int] = Field(default_factory=dict, exclude_if=lambda refused: not refused)

    def and_then(self, later: Self) -> Self:
        """Return what was erased in this store in two turns; what was refused is tried again."""
        return type(self)(
            name=self.name,
            place=self.place,
            held=self.held + later.held - later.left,
            erased=self.erased + later.erased,
            left=later.left,
            size=self.size + later.size,
            at=(later if later.erased else self).at,
            refused=later.refused,
        )


class PurgeRecord(Record):
    """How far the purge of a request has come. It names no object, so it may lie with the evidence.

    Attributes:
        request: The request.
        plan: The digest of the last plan.
        started: When the first plan was made.
        data: The digests of the data sets that were erased.
        models: The digests of the models that were erased.
        before: What earlier plans erased, by store.
        stores: What was erased in each store that is done.
        finished: When the last store was done; None while stores are left.
        previous_until: Until when the model before is kept, if it still is.
        inventory: The digest of the signed inventory, once it stands.
        proved: When that was.
        seal: Made of all the rest with the pseudonym key; without it the record may be anybody's.
    """

    schema_version: Literal["lethe.purge/1"] = "lethe.purge/1"
    request: RequestId
    plan: Sha256
    started: UtcTime
    data: tuple[Sha256, ...]
    models: tuple[Sha256, ...]
    before: tuple[ErasedStore, ...] = Field(default=(), exclude_if=lambda before: not before)
    stores: tuple[ErasedStore, ...] = ()
    finished: UtcTime | None = None
    previous_until: UtcTime | None = None
    inventory: Sha256 | None = None
    proved: UtcTime | None = None
    seal: str = Field(default="", exclude_if=lambda seal: not seal)

    @property
    def erased(self) -> tuple[ErasedStore, ...]:
        """What all plans erased, by store."""
        found = {one.name: one for one in self.before}
        for one in self.stores:
            known = found.get(one.name)
            found[one.name] = one if known is None else known.and_then(one)
        return tuple(found.values())

    def changed(self, **changes: Any) -> Self:
        """Return the record with other values."""
        return type(self)(**{**dict(self), **changes})
