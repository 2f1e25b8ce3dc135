"""Follow rows, a data set or a model through every store."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from tasks.keys.signing import load_pseudonym_key, pseudonymise
from tasks.traces.known import KnownCards, ShardRow, rows_in, what_is_known
from tasks.traces.sought import Sought, SoughtRow
from tasks.traces.stored import Content, SearchableStore, StoredObject
from tasks.traces.unpacking import parts
from unlearn_core.audit.taint import data_that_held, models_that_learned
from unlearn_core.kinds import AskedKind
from unlearn_core.names import one_form, one_line
from unlearn_core.progress import OnStep, Step
from unlearn_core.records.base import Sha256
from unlearn_core.records.traces import (
    TRACE_WORDS,
    AskedOfDigest,
    AskedOfRows,
    Lineage,
    SearchedStore,
    Trace,
    TracedModel,
    TraceKind,
)
from unlearn_core.selection import require_classes

_MOST_NAMED = 20
"""Objects that are named where a search could not look into all of them."""


@dataclass(frozen=True)
class Question:
    """What to follow, as a person names it.

    Attributes:
        kind: What is named.
        name: A class, an id, or a digest.
    """

    kind: AskedKind
    name: str

    @property
    def record(self) -> AskedOfRows | AskedOfDigest:
        """The same without an id: that of a sample or a person becomes a pseudonym."""
        if self.kind in {"dataset", "model"}:
            return AskedOfDigest.model_validate({"kind": self.kind, "name": self.name})
        name = self.name if self.kind == "class" else self.pseudonym
        return AskedOfRows.model_validate({"kind": self.kind, "name": name})

    @cached_property
    def pseudonym(self) -> str:
        """The pseudonym of the sample or person."""
        kind = "sample" if self.kind == "sample" else "subject"
        return pseudonymise(load_pseudonym_key(), kind, one_form(self.name))

    def means(self, row: ShardRow, classes: Sequence[str]) -> bool:
        """Tell whether a row is meant, in a data set with these classes."""
        named = {"class": classes[row.label : row.label + 1], "sample": [row.sample_id]}
        names = named.get(self.kind, [row.subject_id] if self.kind == "subject" else [])
        return any(one_form(name) == one_form(self.name) for name in names)


@dataclass(frozen=True)
class WhatToFind:
    """What the first pass over the stores tells: what to look for in the second.

    Attributes:
        sought: The rows, as byte strings.
        data: The digests of the data sets that hold or held them.
        models: The models that matter.
        tensors: What a file of tensors with this digest is.
    """

    sought: Sought
    data: frozenset[Sha256]
    models: tuple[TracedModel, ...]
    tensors: dict[Sha256, TraceKind]


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
    found = _found(known, asked)
    traces, searched, closed = list[Trace](), list[SearchedStore](), list[str]()
    for store in stores:
        objects = size = 0
        for one in store.objects():
            objects, size = objects + 1, size + one.size
            held, whole = _trace(store.name, one, found)
            traces += [held] if held else []
            closed += [] if whole else [one_line(f"{store.name}: {one.address}")]
            on_step(Step(store.name, objects, objects))
        searched.append(SearchedStore(name=store.name, place=store.place, objects=objects, size=size))
    return Lineage(
        asked=asked.record,
        rows=len(found.sought.rows),
        data=tuple(known.data[one] for one in sorted(found.data & known.data.keys())),
        models=found.models,
        traces=tuple(traces),
        searched=tuple(searched),
        unsearchable=len(found.sought.strings.unsearchable),
        beyond=(*beyond, *_closed(closed)),
    )


def _closed(addresses: list[str]) -> Iterator[str]:
    """Say what was not looked into: more is packed in it than a search unpacks."""
    for address in addresses[:_MOST_NAMED]:
        yield f"{address}: packed too deep, too large or encrypted; unpack it and search again"
    if (more := len(addresses) - _MOST_NAMED) > 0:
        yield f"{more} more such objects"


def _found(known: KnownCards, asked: Question) -> WhatToFind:
    """Find the rows, and the models that learned them."""
    if asked.kind == "class":
        _require_class(asked.name, known)
    rows, holding, teaching = _rows(known, asked)
    start = {asked.name} if asked.kind == "model" else set[str]()
    if asked.kind == "dataset":
        teaching.add(asked.name)
    cards = known.data.values()
    data, taught = data_that_held(holding | teaching, cards), data_that_held(teaching, cards)
    models = models_that_learned(taught, known.models, free={*known.data} - taught, start=start)
    if not (taught or start):
        models = ()
    tensors: dict[Sha256, TraceKind] = {
        one.weights: "model" if one.knows == "learned" else "uncertain"
        for one in models
        if one.knows != "made_from"
    }
    tensors |= dict.fromkeys((one.tensors for one in known.moments if one.data in taught), "derived")
    return WhatToFind(_sought(asked, rows), data, models, tensors)


def _require_class(name: str, known: KnownCards) -> None:
    """Refuse a name that is no class of any data set: it is a slip, and not an answer."""
    require_classes((name,), tuple(sorted({one for card in known.data.values() for one in card.classes})))


def _rows(known: KnownCards, asked: Question) -> tuple[tuple[SoughtRow, ...], set[Sha256], set[Sha256]]:
    """Return the rows that are meant, the data sets that hold them, and those that train on them."""
    rows, key = dict[SoughtRow, None](), load_pseudonym_key()
    holding, teaching = set[Sha256](), set[Sha256]()
    for store, one in known.shards:
        cards = list(known.cards_beside(store, one))
        classes, shape = (cards[0].classes, cards[0].input_shape) if cards else ((), (3, 1, 1))
        for row, image in rows_in(one, lambda row, names=classes: asked.means(row, names)):
            rows[_sought_row(row, image, shape, key)] = None
            here = {card.rows_digest for card in cards}
            holding |= here
            teaching |= here if row.split == "train" else set()
    return tuple(rows), holding, teaching


def _sought_row(row: ShardRow, image: bytes, shape: tuple[int, int, int], key: bytes) -> SoughtRow:
    names = tuple(sorted({one_form(row.sample_id), row.sample_id}))
    return SoughtRow(names, tuple(pseudonymise(key, "sample", name) for name in names), image, shape)


def _sought(asked: Question, rows: tuple[SoughtRow, ...]) -> Sought:
    """Return what to look for: the rows, and the id by which they are asked for."""
    if asked.kind not in {"sample", "subject"}:
        return Sought(rows)
    return Sought(rows, (asked.name,), (asked.pseudonym,))


def _trace(store: str, one: StoredObject, found: WhatToFind) -> tuple[Trace | None, bool]:
    """Return what an object holds, or None if that is nothing; and whether all of it was looked into."""
    content = one.read() if one.size else b""
    indices, whole = _indices(content, found.sought)
    needles = [found.sought.needles[index] for index in indices]
    kinds: set[TraceKind] = {needle.kind for needle in needles}
    if (tensors := found.tensors.get(_digest(content))) is not None:
        kinds.add(tensors)
    if one.derived and found.data:
        kinds.add("derived")
    if not kinds:
        return None, whole
    rows = {needle.row for needle in needles if needle.row >= 0}
    ordered: tuple[TraceKind, ...] = tuple(kind for kind in TRACE_WORDS if kind in kinds)
    return Trace(store=store, address=one.address, size=one.size, kinds=ordered, rows=len(rows)), whole


def _indices(content: Content, sought: Sought) -> tuple[set[int], bool]:
    """Return the index of every byte string that a content holds, and whether all of it was looked into."""
    found, whole = set[int](), True
    for part in parts(content):
        found.update(sought.strings.found_in(part.content, apart=part.apart))
        whole &= part.whole
    return found, whole


def _digest(content: Content) -> Sha256:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"
