"""Follow rows, a data set or a model through every store."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from tasks.keys.ring import pseudonym_keys
from tasks.keys.signing import pseudonymise
from tasks.traces.asked import Followed, Question
from tasks.traces.known import KnownCards, ShardRow, rows_in, what_is_known
from tasks.traces.sought import CONTROL, Needle, Sought, SoughtOutlines, SoughtRow
from tasks.traces.stored import Content, SearchableStore, StoredObject
from tasks.traces.unpacking import parts
from unlearn_core.audit.taint import data_that_held, models_that_learned
from unlearn_core.names import one_form, one_line
from unlearn_core.progress import OnStep, Step
from unlearn_core.records.base import Sha256
from unlearn_core.records.traces import (
    TRACE_WORDS,
    Lineage,
    SearchedStore,
    Trace,
    TracedModel,
    TraceKind,
)
from unlearn_core.selection import require_classes

_MOST_NAMED = 20
_PACKED = "packed too deep, too large, encrypted, damaged or of an unknown kind; unpack it and search again"


@dataclass(frozen=True)
class WhatToFind:
    """What the first pass over the stores tells: what to look for in the second.

    Attributes:
        sought: The rows, as byte strings.
        data: The digests of the data sets that hold or held them.
        models: The models that matter.
        tensors: What a file of tensors with this digest is.
        holding: The digests of the data sets at hand in which the rows are.
        derived: Whether what is computed from data counts.
    """

    sought: Sought | SoughtOutlines
    data: frozenset[Sha256]
    models: tuple[TracedModel, ...]
    tensors: dict[Sha256, TraceKind]
    holding: frozenset[Sha256] = frozenset()
    derived: bool = True


@dataclass
class Searched:
    """What was found in one store.

    Attributes:
        store: The store.
        size: How many bytes were read.
        traces: What was found.
        tensors: The digests of the files of tensors that were found, by address.
        seen: Every object, without its content.
        control: How many objects hold the control record.
        closed: Addresses of objects that were not looked into whole, and why.
    """

    store: SearchableStore
    size: int = 0
    traces: list[Trace] = field(default_factory=list[Trace])
    tensors: dict[str, Sha256] = field(default_factory=dict[str, Sha256])
    seen: list[StoredObject] = field(default_factory=list[StoredObject])
    control: int = 0
    closed: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def record(self) -> SearchedStore:
        """The store as a record."""
        name, place = self.store.name, self.store.place
        return SearchedStore(name=name, place=place, objects=len(self.seen), size=self.size)


def trace(
    stores: Sequence[SearchableStore], asked: Question, *, beyond: Sequence[str], on_step: OnStep
) -> Lineage:
    """Search every store, reading every byte of it.

    Args:
        stores: The stores.
        asked: What to follow.
        beyond: What is not searched.
        on_step: Called after each object.

    Returns:
        What was found, and where.
    """
    known = what_is_known(stores)
    if asked.kind == "class":
        _require_class(asked.name, known)
    found = what_to_find(known, asked)
    searched = [search_store(store, found, on_step=on_step) for store in stores]
    return Lineage(
        asked=asked.record,
        rows=found.sought.rows_sought,
        data=tuple(known.data[one] for one in sorted(found.data & known.data.keys())),
        models=found.models,
        traces=tuple(trace for one in searched for trace in one.traces),
        searched=tuple(one.record for one in searched),
        unsearchable=found.sought.unsearchable,
        beyond=(*beyond, *_closed(searched)),
    )


def _closed(searched: Sequence[Searched]) -> Iterator[str]:
    """Say what was not looked into, and why."""
    every = [(f"{one.store.name}: {at}", why) for one in searched for at, why in one.closed.items()]
    for address, why in every[:_MOST_NAMED]:
        yield f"{one_line(address)}: {one_line(why)}"
    if (more := len(every) - _MOST_NAMED) > 0:
        yield f"{more} more such objects"


def search_store(store: SearchableStore, found: WhatToFind, *, on_step: OnStep) -> Searched:
    """Read every byte of one store.

    Args:
        store: The store.
        found: What to look for.
        on_step: Called after each object.

    Returns:
        What was found.
    """
    done = Searched(store)
    for one in store.objects():
        done.seen.append(one.without_content())
        done.size += one.size
        needles, digest, whole = _needles_in(one, found)
        if one.closed or not whole:
            done.closed[one.address] = one.closed or _PACKED
        done.control += any(needle.row == CONTROL for needle in needles)
        if (held := _trace(store.name, one, needles, digest, found)) is not None:
            done.traces.append(held)
        if digest in found.tensors:
            done.tensors[one.address] = digest
        on_step(Step(store.name, len(done.seen), len(done.seen)))
    return done


def what_to_find(known: KnownCards, asked: Followed) -> WhatToFind:
    """Find the rows, and the models that learned them."""
    rows, holding, teaching = _rows(known, asked)
    teaching |= asked.data
    cards = known.data.values()
    data, taught = data_that_held(holding | teaching, cards), data_that_held(teaching, cards)
    models = models_that_learned(taught, known.models, free={*known.data} - taught, start=asked.models)
    if not (taught or asked.models):
        models = ()
    tensors: dict[Sha256, TraceKind] = {
        one.weights: "model" if one.knows == "learned" else "uncertain"
        for one in models
        if one.knows != "made_from"
    }
    tensors |= dict.fromkeys((one.tensors for one in known.moments if one.data in taught), "derived")
    sought = Sought(rows, asked.names, asked.pseudonyms)
    return WhatToFind(sought, data, models, tensors, frozenset(holding))


def _require_class(name: str, known: KnownCards) -> None:
    """Refuse a name that is no class of any data set: it is a slip, and not an answer."""
    require_classes((name,), tuple(sorted({one for card in known.data.values() for one in card.classes})))


def _rows(known: KnownCards, asked: Followed) -> tuple[tuple[SoughtRow, ...], set[Sha256], set[Sha256]]:
    """Return the rows that are meant, the data sets that hold them, and those that train on them."""
    rows, keys = dict[SoughtRow, None](), pseudonym_keys()
    holding, teaching = set[Sha256](), set[Sha256]()
    for store, one in known.shards:
        cards = list(known.cards_beside(store, one))
        classes, shape = (cards[0].classes, cards[0].input_shape) if cards else ((), (3, 1, 1))
        for row, image in rows_in(one, lambda row, names=classes: asked.means(row, names)):
            rows[_sought_row(row, image, shape, keys)] = None
            here = {card.rows_digest for card in cards}
            holding |= here
            teaching |= here if row.split == "train" else set()
    return tuple(rows), holding, teaching


def _sought_row(row: ShardRow, image: bytes, shape: tuple[int, int, int], keys: Sequence[bytes]) -> SoughtRow:
    names = tuple(sorted({one_form(row.sample_id), row.sample_id}))
    pseudonyms = tuple(pseudonymise(key, "sample", name) for key in keys for name in names)
    return SoughtRow(names, pseudonyms, image, shape)


def _needles_in(one: StoredObject, found: WhatToFind) -> tuple[list[Needle], Sha256, bool]:
    """Return the needles in an object and its address, its digest, and whether all of it was looked into."""
    content = one.read() if one.size else b""
    indices, whole = _indices(content, found)
    indices |= found.sought.strings.found_in(one.address.encode(errors="surrogateescape"))
    return [found.sought.needles[index] for index in indices], _digest(content), whole


def _trace(
    store: str, one: StoredObject, needles: Sequence[Needle], digest: Sha256, found: WhatToFind
) -> Trace | None:
    """Return what an object holds, or None if that is nothing."""
    kinds: set[TraceKind] = {needle.kind for needle in needles if needle.row != CONTROL}
    if digest in found.tensors:
        kinds.add(found.tensors[digest])
    if one.derived and found.derived and found.data:
        kinds.add("derived")
    if not kinds:
        return None
    rows = {needle.row for needle in needles if needle.row >= 0}
    ordered: tuple[TraceKind, ...] = tuple(kind for kind in TRACE_WORDS if kind in kinds)
    return Trace(store=store, address=one.address, size=one.size, kinds=ordered, rows=len(rows))


def _indices(content: Content, found: WhatToFind) -> tuple[set[int], bool]:
    """Return the index of every byte string that a content holds, and whether all of it was looked into."""
    indices, whole = set[int](), True
    for part in parts(content):
        indices.update(found.sought.strings.found_in(part.content, apart=part.apart))
        whole &= part.whole
    return indices, whole


def _digest(content: Content) -> Sha256:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"
