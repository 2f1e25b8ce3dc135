"""``lethe purge``: erase what a served request named, and prove that it is gone."""

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flows.cli.options import Json, RequestArgument
from flows.cli.output import Output, table_cell
from unlearn_core.errors import UsageError

if TYPE_CHECKING:
    from unlearn_core.records.inventory import Inventory
    from unlearn_core.records.purge import PurgePlan, PurgeRecord

_SHOWN = 6
"""How many objects are listed of each store, without ``--all``."""

_DOES = {
    "erase": "to erase",
    "compact": "to compact",
    "record": "stays, as a record",
    "wait": "stays for now",
    "not_ours": "NOT LETHE'S to erase",
}


def command(
    request_id: RequestArgument,
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="List what would go, and change nothing.")
    ] = False,
    prove: Annotated[
        bool, typer.Option("--prove", help="Search every store again, and sign an inventory of absence.")
    ] = False,
    all_: Annotated[bool, typer.Option("--all", help="List every object.")] = False,
    json: Json = False,
) -> None:
    """Erase what a served request named, wherever it lies: data, caches, versions, models that learned it.

    It comes after `lethe next`, and after the policy's `purge.grace_h`. A plan is written first, and then
    carried out store by store; what interrupts it is finished by the same command. What stays is listed with
    the reason. Then `lethe purge REQUEST --prove` reads every byte of every store again: if nothing is found
    but a record that was not deleted, it signs an inventory that `lethe-verify` checks.

    Raises:
        UsageError: If both `--dry-run` and `--prove` are given.
    """
    if dry_run and prove:
        raise UsageError("--dry-run and --prove came together; give one of them")
    if dry_run:
        plan = _plan(request_id)
        Output(json).give(_plan_as_json(plan), lambda: tell_plan(plan, every=all_))
    elif prove:
        inventory, path = _prove(request_id)
        Output(json).give(inventory.model_dump(mode="json"), lambda: tell_inventory(inventory, path))
    else:
        record = _purge(request_id)
        Output(json).give(record.model_dump(mode="json"), lambda: tell_purged(record))


def _plan(request_id: str) -> "PurgePlan":
    from tasks.checkout.checkout import Checkout
    from tasks.checkout.progress import signs_of_life

    checkout = Checkout.find(Path.cwd())
    with signs_of_life(f"purge {request_id}"):
        from flows.purge import preview_purge

        return preview_purge(checkout, request_id)


def _purge(request_id: str) -> "PurgeRecord":
    from tasks.checkout.checkout import Checkout
    from tasks.checkout.progress import signs_of_life

    with Checkout.open(Path.cwd()) as checkout, signs_of_life(f"purge {request_id}"):
        from flows.purge import purge

        return purge(checkout, request_id)


def _prove(request_id: str) -> "tuple[Inventory, Path]":
    from tasks.checkout.checkout import Checkout
    from tasks.checkout.progress import signs_of_life

    with Checkout.open(Path.cwd()) as checkout, signs_of_life(f"prove {request_id}"):
        from flows.prove import prove

        return prove(checkout, request_id), checkout.inventory(request_id)


def _plan_as_json(plan: "PurgePlan") -> dict[str, object]:
    """Return a plan without what it seals."""
    return plan.model_dump(mode="json", exclude={"outlines"})


def tell_plan(plan: "PurgePlan", *, every: bool) -> str:
    """Return a plan as lines for a terminal."""
    lines = [f"request {plan.request}: {plan.rows} row(s), in {len(plan.data)} data set(s)", ""]
    for store in plan.stores:
        own = [one for one in plan.objects if one.store == store.name]
        lines.append(f"{store.place}: {_counted(Counter(one.treatment for one in own))}")
        for one in own if every else own[:_SHOWN]:
            why = f" ({one.why})" if one.why and one.treatment != "erase" else ""
            lines.append(f"  {table_cell(one.address)}, {_size(one.size)}: {_DOES[one.treatment]}{why}")
        if len(own) > _SHOWN and not every:
            lines.append(f"  and {len(own) - _SHOWN} more; --all lists them")
    return "\n".join([*lines, "", *_beyond(plan.beyond, plan.unsearchable)])


def tell_purged(record: "PurgeRecord") -> str:
    """Return what a purge erased, and what comes next."""
    lines = [
        f"{one.name:<12} {one.erased} object(s) erased, {_size(one.size)}{_refused(one.refused)}"
        for one in record.erased
    ]
    if record.previous_until is not None:
        lines.append(f"{'kept':<12} the model before, until {record.previous_until}; then purge again")
    if record.inventory is None:
        lines += ["", f"keep it      git add -A && git commit -m 'Purge {record.request}'"]
        lines.append(f"next         lethe purge {record.request} --prove")
    return "\n".join(lines)


def tell_inventory(inventory: "Inventory", path: Path) -> str:
    """Return what an inventory says, as lines for a terminal."""
    from tasks.evidence.inventories import inventory_in_words, inventory_lines

    return "\n".join([inventory_in_words(inventory), *inventory_lines(inventory), f"inventory   {path}"])


def _beyond(beyond: "tuple[str, ...]", unsearchable: int) -> list[str]:
    """Say what no search reaches."""
    told = [f"not reached  {one}" for one in beyond]
    if unsearchable:
        told.append(f"not sought   {unsearchable} id(s) or image(s) that are too short or too uniform")
    return told


def _counted(counts: "Counter[str]") -> str:
    return ", ".join(f"{counts[kind]} {words}" for kind, words in _DOES.items() if counts[kind]) or "nothing"


def _refused(refused: dict[str, int]) -> str:
    return "".join(f"; {count} refused: {why}" for why, count in refused.items())


def _size(size: int) -> str:
    return f"{size / 2**20:.1f} MiB" if size >= 2**20 else f"{size / 2**10:.1f} KiB"
