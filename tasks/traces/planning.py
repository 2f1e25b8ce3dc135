"""Plan a purge: everything that holds a trace of a request's rows, and what is done about each."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from tasks.checkout.environment import now
from tasks.keys.folder import load_pseudonym_key
from tasks.keys.outlines import open_outlines, outline_key, seal_outlines
from tasks.keys.ring import pseudonym_keys
from tasks.traces.cached import dvc_digest, is_list
from tasks.traces.following import Searched, WhatToFind, search_store, what_to_find
from tasks.traces.forgotten_rows import ForgottenRows
from tasks.traces.known import what_is_known
from tasks.traces.places import joined, places_of
from tasks.traces.sought import SoughtOutlines
from tasks.traces.stored import SearchableStore, StoredObject
from unlearn_core.audit.purging import Sparing, treatment_of, unit_of
from unlearn_core.errors import RequestError
from unlearn_core.progress import OnStep
from unlearn_core.records.base import Sha256
from unlearn_core.records.purge import PurgedObject, PurgePlan
from unlearn_core.records.request import RequestId
from unlearn_core.records.traces import Trace, TraceKind


def what_to_purge(stores: Sequence[SearchableStore], asked: ForgottenRows, sparing: Sparing) -> WhatToFind:
    """Find the rows of a request, and every model that may know them.

    Args:
        stores: The stores.
        asked: The rows.
        sparing: What is left alone.

    Returns:
        What to look for.

    Raises:
        RequestError: If no store has any of the rows, or what is in use still knows them.
    """
    found = what_to_find(what_is_known(stores), asked)
    if not found.sought.rows_sought:
        raise RequestError(
            f"no store at hand holds a row of request {asked.request.id!r}: there is nothing to look for; if "
            "they are in DVC's remote alone, check its credentials"
        )
    candidates = {one.weights for one in found.models if one.knows != "learned"} - sparing.accepted
    kinds: dict[Sha256, TraceKind] = {
        one: kind for one, kind in found.tensors.items() if kind != "uncertain" or one not in sparing.accepted
    }
    # What was tried and rejected may still know the rows, and what was made from a model that did as well.
    rejected: dict[Sha256, TraceKind] = dict.fromkeys(candidates, "model")
    found = replace(found, tensors={**rejected, **kinds})
    if still := sparing.in_use & {*found.holding, *found.tensors}:
        raise RequestError(
            f"{', '.join(sorted(still))} is in use and still knows what request {asked.request.id!r} names; "
            "run `lethe next`, so that the project goes on from the model that forgot it"
        )
    return found


def make_plan(
    root: Path,
    stores: Sequence[SearchableStore],
    request: RequestId,
    found: WhatToFind,
    *,
    sparing: Sparing,
    beyond: Sequence[str],
    on_step: OnStep,
    lost: int = 0,
    key: bytes | None = None,
    earlier: dict[str, tuple[str, ...]] | None = None,
) -> PurgePlan:
    """Search every store, and say what is done about each object that holds a trace.

    Args:
        root: The checkout.
        stores: The stores.
        request: The request.
        found: What to look for.
        sparing: What is left alone.
        beyond: What no search reaches.
        on_step: Called after each object.
        lost: How many of the rows no store has, so that nobody can look for copies of them.
        key: The pseudonym key that it is sealed with; the current one by default.
        earlier: The places of the stores in the plan before.

    Returns:
        The plan, sealed: whoever alters anything in it cannot seal it again without the key.
    """
    key = load_pseudonym_key() if key is None else key
    going = {one: kind for one, kind in found.tensors.items() if one not in sparing.waiting}
    waiting = found.tensors.keys() - going.keys()
    searched = [search_store(store, found, on_step=on_step) for store in stores]
    plan = PurgePlan(
        request=request,
        made=now(),
        rows=found.sought.rows_sought,
        lost=lost,
        data=tuple(sorted(found.data)),
        models=tuple(sorted(one for one, kind in going.items() if kind != "derived")),
        moments=tuple(sorted(one for one, kind in going.items() if kind == "derived")),
        waiting=tuple(sorted(waiting)),
        stores=tuple(one.record for one in searched),
        places=joined(earlier or {}, places_of(root, stores, key)),
        objects=tuple(entry for one in searched for entry in treated_objects(one, sparing)),
        beyond=tuple(beyond),
        unsearchable=found.sought.unsearchable,
        outlines="",
    )
    sought = found.sought
    outlines = sought.given if isinstance(sought, SoughtOutlines) else sought.outlines(outline_key(key))
    return plan.sealed(seal_outlines(key, outlines, about=plan.digest))


def open_plan(plan: PurgePlan) -> tuple[bytes, SoughtOutlines]:
    """Return the key that a plan is sealed with, and the rows as it keeps them.

    Args:
        plan: A plan that was read from a file.

    Returns:
        Both.

    Raises:
        SetupError: If anything in the plan was altered, or no key of this machine sealed it.
    """
    about = plan.sealed("").digest
    key, outlines = open_outlines(pseudonym_keys(), plan.outlines, about=about)
    return key, SoughtOutlines(tuple(outlines), outline_key(key), plan.rows, plan.unsearchable)


def found_again(plan: PurgePlan, sought: SoughtOutlines) -> WhatToFind:
    """Return what to look for once the rows are gone, as a plan keeps it."""
    tensors: dict[Sha256, TraceKind] = dict.fromkeys((*plan.models, *plan.waiting), "model")
    tensors |= dict.fromkeys(plan.moments, "derived")
    # Outputs that were computed since are of other rows.
    return WhatToFind(sought, frozenset(plan.data), (), tensors, derived=False)


def treated_objects(searched: Searched, sparing: Sparing) -> Iterator[PurgedObject]:
    """Yield what is done about each object of a store: those with a trace, and what goes with them.

    Args:
        searched: What was found in the store.
        sparing: What is left alone.

    Yields:
        The objects, in the order of their addresses.
    """
    treated = {one.address: _treated(one, searched, sparing) for one in searched.traces}
    going = {address for address, one in treated.items() if one.treatment == "erase"}
    others = (one for one in searched.seen if one.address not in treated)
    for one in _belonging(searched.store.name, going, searched.seen, others):
        why = "belongs to a data set or a model that goes"
        treated[one.address] = PurgedObject(
            store=searched.store.name,
            address=one.address,
            size=one.size,
            kinds=(),
            treatment="erase",
            why=why,
        )
    yield from (treated[address] for address in sorted(treated))


def _belonging(
    store: str, going: Collection[str], seen: Iterable[StoredObject], others: Iterable[StoredObject]
) -> Iterator[StoredObject]:
    """Yield the objects that go with others: the rest of a folder, and DVC's lists that name them."""
    units = {unit_of(store, address) for address in going} - {None}
    lists = {folder for one in seen if one.address in going for folder in one.folders if is_list(folder)}
    for one in others:
        if unit_of(store, one.address) in units or dvc_digest(one.address) in lists:
            yield one


def _treated(one: Trace, searched: Searched, sparing: Sparing) -> PurgedObject:
    treatment, why = treatment_of(one.store, one.address, one.kinds)
    if (waiting := sparing.waiting.get(searched.tensors.get(one.address, ""))) is not None:
        treatment, why = "wait", waiting
    return PurgedObject(**one.model_dump(exclude={"rows"}), treatment=treatment, why=why)
