"""``lethe lineage``: where something went, in every store."""

import re
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, get_args

import typer

from flows.cli.options import Json
from flows.cli.output import Output, console, table_cell
from unlearn_core.errors import UsageError
from unlearn_core.kinds import AskedKind

if TYPE_CHECKING:
    from rich.tree import Tree

    from unlearn_core.records.traces import Lineage, Trace

_SHOWN = 3
"""How many objects that hold the same are listed of one folder, without ``--all``."""

_DIGEST, _WHOLE = re.compile(r"[0-9a-f]{2}|[0-9a-f]{16,}"), re.compile(r"sha256:[0-9a-f]{64}")

_KNOWS = {
    "learned": "learned it",
    "made_from": "was made from a model that learned it",
    "uncertain": "may have learned it: its data set is not at hand",
}


def command(
    *,
    class_: Annotated[str | None, typer.Option("--class", help="A class, by name.")] = None,
    sample: Annotated[str | None, typer.Option(help="A sample, by its id.")] = None,
    subject: Annotated[str | None, typer.Option(help="A person, by their id.")] = None,
    dataset: Annotated[str | None, typer.Option(metavar="DIGEST", help="A data set.")] = None,
    model: Annotated[str | None, typer.Option(metavar="DIGEST", help="A model, by its weights.")] = None,
    all_: Annotated[bool, typer.Option("--all", help="List every object.")] = False,
    json: Json = False,
) -> None:
    """Find where a person's data went: data sets, models, caches, remotes, runs, git, e.g. `--subject S`.

    Every byte of every store is read, also inside of compressed files: images as files, as pixels and in
    Base64, ids, pseudonyms and digests. Models are found by their cards: those that learned from the data,
    and those that were made from one that did. Nothing is changed. What is not searched is listed.

    Raises:
        UsageError: If nothing is named, or more than one thing, or what should be a digest is none.
    """
    from tasks.checkout.checkout import Checkout

    checkout = Checkout.find(Path.cwd())
    given = dict(zip(get_args(AskedKind), (class_, sample, subject, dataset, model), strict=True))
    named = {kind: name for kind, name in given.items() if name is not None}
    if len(named) != 1:
        raise UsageError(f"name one of {', '.join(f'--{kind}' for kind in given)}; {len(named)} were named")
    ((kind, name),) = named.items()
    if kind in {"dataset", "model"} and not _WHOLE.fullmatch(name):
        raise UsageError(f"{name} came; expected a digest: sha256: and 64 hexadecimal digits")
    from tasks.checkout.progress import signs_of_life

    with signs_of_life("lineage"):
        from flows.lineage import lineage
        from tasks.traces.following import Question

        found = lineage(checkout, Question(kind, name))
    Output(json).give(found.model_dump(mode="json"), lambda: _tell(found, name, every=all_))


def _tell(found: "Lineage", name: str, *, every: bool) -> None:
    from rich.tree import Tree

    rows = "" if found.asked.kind in {"dataset", "model"} else f": {found.rows} row(s)"
    tree = Tree(f"[bold]{found.asked.kind} {table_cell(name)}[/bold]{rows}")
    data = tree.add(f"[bold]data sets that held it[/bold]: {len(found.data)}")
    for card in found.data:
        data.add(
            f"{table_cell(card.name)} {_short(card.rows_digest)}, {sum(s.rows for s in card.splits)} rows"
        )
    models = tree.add(f"[bold]models[/bold]: {len(found.models)}")
    for one in found.models:
        models.add(f"{_short(one.weights)} ({table_cell(one.method)}) {_KNOWS[one.knows]}")
    for store in found.searched:
        traces = [one for one in found.traces if one.store == store.name]
        if traces:
            said = f"{len(traces)} of {store.objects} objects hold something"
            _add_traces(tree.add(f"[bold]{table_cell(store.place)}[/bold]: {said}"), traces, every=every)
        else:
            tree.add(f"[dim]{table_cell(store.place)}: nothing found[/dim]")
    beyond = tree.add("not searched")
    for one in found.beyond:
        beyond.add(table_cell(one))
    if found.unsearchable:
        beyond.add(f"{found.unsearchable} id(s) or image(s) that are too short or too uniform to be told")
    console().print(tree)


def _add_traces(branch: "Tree", traces: "list[Trace]", *, every: bool) -> None:
    """Add a store's objects, those of one folder that hold the same together."""
    from unlearn_core.records.traces import TRACE_WORDS

    groups = defaultdict[tuple[str, str], list["Trace"]](list)
    for one in traces:
        words = ", ".join(TRACE_WORDS[kind] for kind in one.kinds)
        groups[_folder(one.address), words].append(one)
    for (folder, words), ones in groups.items():
        if every or len(ones) <= _SHOWN:
            for one in ones:
                branch.add(f"{table_cell(one.address)}: [yellow]{words}[/yellow]")
        else:
            branch.add(f"{table_cell(folder)} {len(ones)} objects: [yellow]{words}[/yellow]".lstrip())


def _folder(address: str) -> str:
    """Return the folder by which objects are counted together: of two levels, and not a digest's."""
    folders = [part for part in address.split("/")[:-1] if not _DIGEST.fullmatch(part)]
    return "/".join((*folders[:2], "")) if folders else ""


def _short(digest: str) -> str:
    return digest[: len("sha256:") + 12]
