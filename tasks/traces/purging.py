"""Carry a purge out, store by store: what was done is noted after each, and a repeat goes on from there."""

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from tasks.checkout.environment import now
from tasks.checkout.linked import REPLAYS
from tasks.storage.pinned import pinned_digests
from tasks.traces.cached import dvc_digest
from tasks.traces.stored import SearchableStore
from unlearn_core.audit.purging import unit_of
from unlearn_core.errors import LetheError, PipelineError, SetupError, UnavailableError
from unlearn_core.progress import OnStep, Step
from unlearn_core.records.purge import ErasedStore, PurgePlan


def carry_out(
    stores: Sequence[SearchableStore],
    plan: PurgePlan,
    *,
    done: Collection[str],
    on_store: Callable[[ErasedStore], object],
    on_step: OnStep,
) -> None:
    """Erase what a plan says, in every store that is not done.

    Args:
        stores: The stores.
        plan: The plan.
        done: The names of the stores that an interrupted run has finished.
        on_store: Called when a store is done.
        on_step: Called after each object.

    Raises:
        SetupError: If a store of the plan is not at hand any more.
    """
    require_at_hand(stores, plan, done=done)
    for store in stores:
        if store.name not in done:
            on_store(_erase_in(store, plan, on_step))


def require_at_hand(
    stores: Sequence[SearchableStore], plan: PurgePlan, *, done: Collection[str] = ()
) -> None:
    """Refuse to go on while a store of a plan is missing: nobody would know what is in it.

    Args:
        stores: The stores.
        plan: The plan.
        done: The names of the stores that may be missing, beside replays that were cut short: these go whole.

    Raises:
        SetupError: If one is missing.
    """
    planned = {one.name for one in plan.stores if not one.name.startswith(REPLAYS)}
    if missing := sorted(planned - {*(store.name for store in stores), *done}):
        raise SetupError(
            f"{', '.join(missing)}: not at hand any more, though the purge was planned with it; set the "
            "environment as it was when `lethe purge` planned it"
        )


def _erase_in(store: SearchableStore, plan: PurgePlan, on_step: OnStep) -> ErasedStore:
    """Erase what a plan says in one store; what is gone already counts as erased."""
    going = {one.address: one for one in plan.of_store(store.name, "erase")}
    databases = [one.address for one in plan.of_store(store.name, "compact")]
    refused, kept, reached = Counter[str](), set[str](), 0
    for one in list(store.objects()) if going else ():
        if one.address in going and one.erase is not None:
            try:
                one.erase()
            except UnavailableError:
                raise
            except (LetheError, OSError) as error:
                refused[str(error)] += 1
                kept.add(one.address)
            reached += 1
            on_step(Step(store.name, reached, len(going)))
    erased = [one for address, one in going.items() if address not in kept]
    store.settle([one.address for one in erased], databases)
    return ErasedStore(
        name=store.name,
        place=store.place,
        held=sum(bool(one.kinds) for one in plan.objects if one.store == store.name),
        erased=len(erased),
        left=len(plan.of_store(store.name, "record", "wait", "not_ours")) + len(kept),
        size=sum(one.size for one in erased),
        at=now(),
        refused=dict(refused),
    )


def refuse_pinned(root: Path, plan: PurgePlan) -> None:
    """Refuse a plan that would erase what the checkout's present state needs.

    Args:
        root: The checkout.
        plan: The plan.

    Raises:
        PipelineError: If it would; nothing was erased.
    """
    erased = [one for one in plan.objects if one.treatment == "erase"]
    units = {unit_of("project", one.address) for one in erased if one.store == "project"}
    staying = {path: digest for path, digest in pinned_digests(root).items() if path not in units}
    lost = {dvc_digest(one.address) for one in erased} & set(staying.values())
    if kept := sorted(path for path, digest in staying.items() if digest in lost):
        raise PipelineError(
            f"the purge of request {plan.request!r} would erase {', '.join(kept)}, which the project needs: "
            "what is in use still holds what the request names. Nothing was erased"
        )
