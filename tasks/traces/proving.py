"""The inventory of absence: every store is searched again, and a record that stays must be found as well."""

import secrets
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from tasks.checkout.environment import now
from tasks.checkout.log import is_for_people
from tasks.data.datasets import each_image, read_card, read_manifest
from tasks.keys.outlines import outline_key
from tasks.traces.following import Searched, search_store
from tasks.traces.places import elsewhere_now, places_of
from tasks.traces.planning import found_again, open_plan, treated_objects
from tasks.traces.sought import Sought, SoughtRow
from tasks.traces.stored import SearchableStore
from unlearn_core.audit.inventories import require_control
from unlearn_core.audit.purging import Sparing
from unlearn_core.byte_strings import Outline
from unlearn_core.errors import EvidenceError
from unlearn_core.progress import OnStep
from unlearn_core.records.inventory import Inventory, Remaining, StoreInventory
from unlearn_core.records.purge import PurgedObject, PurgePlan, PurgeRecord
from unlearn_core.records.traces import TRACE_WORDS, TraceKind

_SHOWN = 10


def take_inventory(
    root: Path,
    stores: Sequence[SearchableStore],
    plan: PurgePlan,
    record: PurgeRecord,
    *,
    sparing: Sparing,
    control: Path,
    beyond: Sequence[str],
    on_step: OnStep,
    **about: Any,
) -> Inventory:
    """Search every store for what was purged, and for a record that was not.

    Args:
        root: The checkout.
        stores: The stores.
        plan: The plan that was carried out.
        record: What was erased.
        sparing: What is left alone.
        control: The data set in use, from which the control record is drawn.
        beyond: What is not searched.
        on_step: Called after each object.
        about: The inventory's ``request`` and ``certificate``.

    Returns:
        The inventory.

    Raises:
        EvidenceError: If anything is found that should be gone, which is named, or the control record is not.
    """
    started, (key, sought) = now(), open_plan(plan)
    sought = replace(sought, control=_control(control, key))
    found = found_again(plan, sought)
    searched = [search_store(store, found, on_step=on_step) for store in stores]
    require_control(sum(one.control for one in searched))
    held = {one.store.name: [*_with_traces(treated_objects(one, sparing))] for one in searched}
    _refuse_found(plan, [one for objects in held.values() for one in objects])
    elsewhere = elsewhere_now(plan, places_of(root, stores, key))
    remains = tuple(one for name, objects in held.items() for one in _remaining(name, objects))
    return Inventory(
        schema_version="lethe.inventory/1",
        plan=plan.digest,
        rows=plan.rows,
        sought=_counted(sought.given),
        data=record.data,
        models=record.models,
        stores=tuple(_inventory(one, record, len(held[one.store.name])) for one in searched),
        remains=remains,
        unsearchable=plan.unsearchable,
        started=started,
        finished=now(),
        lost=plan.lost,
        elsewhere=elsewhere,
        complete=not plan.lost and not elsewhere and all(one.is_record for one in remains),
        beyond=(*beyond, *_closed(searched)),
        **about,
    )


def _closed(searched: Iterable[Searched]) -> Iterable[str]:
    """Say what was not looked into, by number: an address may hold an id."""
    for one in searched:
        if one.closed:
            yield (
                f"{len(one.closed)} object(s) of {one.store.name}: packed too deep, too large, encrypted, "
                "damaged, not to be read, or a link to somewhere else; `lethe lineage` names each, and why"
            )


def _control(folder: Path, pseudonym_key: bytes) -> tuple[tuple[TraceKind, Outline], ...]:
    """Return the outlines of the image of a row that stays, drawn at random."""
    manifest, card = read_manifest(folder), read_card(folder)
    rows = np.zeros(len(manifest), dtype=bool)
    rows[secrets.choice(np.flatnonzero(manifest.splits == "train").tolist())] = True
    (image,) = each_image(folder, rows)
    sought = Sought((SoughtRow((), (), image, card.input_shape),))
    return tuple(sought.outlines(outline_key(pseudonym_key)))


def _with_traces(objects: Iterable[PurgedObject]) -> Iterable[PurgedObject]:
    return (one for one in objects if one.kinds)


def _refuse_found(plan: PurgePlan, found: Sequence[PurgedObject]) -> None:
    """Refuse an inventory while something is there that must not be: it would not be one of absence."""
    if not (wrong := [one for one in found if one.treatment in {"erase", "compact", "not_ours"}]):
        return
    lines = [f"  {_named(one)}: {_words(one.kinds)}{_advice(one)}" for one in wrong[:_SHOWN]]
    more = [f"  and {len(wrong) - _SHOWN} more"] if wrong[_SHOWN:] else []
    raise EvidenceError(
        "\n".join(
            [
                f"{len(wrong)} object(s) still hold what request {plan.request!r} names; nothing was signed. "
                f"`lethe purge {plan.request}` erases what is Lethe's to erase:",
                *lines,
                *more,
            ]
        )
    )


def _named(one: PurgedObject) -> str:
    """Name an object where people read it: an address may hold an id."""
    return f"{one.store}: {one.address}" if is_for_people() else one.store


def _advice(one: PurgedObject) -> str:
    return f" ({one.why})" if one.treatment == "not_ours" else ""


def _words(kinds: Iterable[TraceKind]) -> str:
    return ", ".join(TRACE_WORDS[kind] for kind in kinds)


def _remaining(store: str, objects: Iterable[PurgedObject]) -> Iterable[Remaining]:
    """Yield what stays in a store, what stays for the same reason together."""
    groups = defaultdict[tuple[tuple[TraceKind, ...], str, bool], int](int)
    for one in objects:
        groups[one.kinds, one.why, one.treatment == "record"] += 1
    for (kinds, why, is_record), count in groups.items():
        yield Remaining(store=store, kinds=kinds, objects=count, why=why, is_record=is_record)


def _counted(given: Iterable[tuple[TraceKind, Outline]]) -> dict[TraceKind, int]:
    counts = Counter(kind for kind, _ in given)
    return {kind: counts[kind] for kind in TRACE_WORDS if counts[kind]}


def _inventory(searched: Searched, record: PurgeRecord, remaining: int) -> StoreInventory:
    erased = next((one for one in record.erased if one.name == searched.store.name), None)
    return StoreInventory(
        **searched.record.model_dump(),
        held=0 if erased is None else erased.held,
        erased=0 if erased is None else erased.erased,
        erased_at=erased.at if erased is not None and erased.erased else None,
        remaining=remaining,
        control=searched.control,
    )
