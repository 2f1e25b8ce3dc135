"""The command ``lethe data``: who and what is in the data set."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flows.cli.options import Json
from flows.cli.output import Output, console, say, table_cell
from unlearn_core.kinds import Split

if TYPE_CHECKING:
    from tasks.checkout.checkout import Checkout
    from unlearn_core.records.contents import DataContents, FoundRow, PersonContents

_MOST_ROWS = 50
"""How many rows are shown on a screen; JSON holds all of them."""


def command(
    search: Annotated[
        str | None,
        typer.Argument(
            metavar="[SEARCH]",
            help="A sample's id or a part of it, a person's id, a file, or the start of a digest.",
        ),
    ] = None,
    *,
    label: Annotated[str | None, typer.Option("--class", help="Only rows of this class.")] = None,
    split: Annotated[Split | None, typer.Option(help="Only rows of this split.")] = None,
    persons: Annotated[bool, typer.Option(help="List the persons, and how many rows each has.")] = False,
    show: Annotated[
        bool, typer.Option(help="Show the picture of the only row found, in the terminal.")
    ] = False,
    save: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Save the picture of the only row found.")
    ] = None,
    json: Json = False,
) -> None:
    """Show who and what is in the data set: classes, splits and persons, or the rows that a search finds.

    These are the names that `lethe delete` takes. Ids of samples and persons are shown here and never logged.
    Of what was forgotten nothing is left but a pseudonym: a search says by which request.
    """
    from tasks.checkout.checkout import Checkout
    from tasks.requests.request_file import preview_manifest
    from unlearn_core.selection import require_classes

    checkout, output = Checkout.find(Path.cwd()), Output(json)
    manifest = preview_manifest(checkout)
    require_classes((label,) if label else (), manifest.classes)
    from tasks.data.searching import contents_of, persons_in

    if persons:
        found = persons_in(manifest)
        output.give([one.model_dump(mode="json") for one in found], lambda: _print_persons(found))
    elif search is None and label is None and split is None:
        counted = contents_of(manifest, _earlier(checkout))
        output.give(counted.model_dump(mode="json"), lambda: _print_contents(counted))
    else:
        rows = _found(checkout, manifest, search, label=label, split=split)
        if show or save:
            _picture(checkout, rows, save, show=show and not json)
        output.give([one.model_dump(mode="json") for one in rows], lambda: _print_rows(rows))


def _found(checkout: "Checkout", manifest: Any, search: str | None, **only: Any) -> "tuple[FoundRow, ...]":
    """Find rows; if there are none, say which request forgot them."""
    from tasks.checkout.log import is_for_people
    from tasks.data.searching import find_rows
    from tasks.requests.forgotten import forgotten_by
    from tasks.requests.typed import pseudonyms_of
    from unlearn_core.errors import RequestError

    try:
        return find_rows(manifest, search, **only)
    except RequestError:
        for request in forgotten_by(checkout, pseudonyms_of(search or "")).values():
            named = search if is_for_people() else "what was looked for"
            raise RequestError(f"{named} was forgotten by request {request}") from None
        raise


def _earlier(checkout: "Checkout") -> Any:
    """Return the requests that the data set was retained for, if it is there."""
    from tasks.data.datasets import read_card

    return read_card(checkout.dataset).earlier if checkout.dataset.is_dir() else ()


def _picture(checkout: "Checkout", rows: "tuple[FoundRow, ...]", save: Path | None, *, show: bool) -> None:
    """Save or show the picture of the only row."""
    from tasks.data.showing import in_blocks, picture_of, save_picture
    from unlearn_core.errors import RequestError

    if len(rows) != 1:
        raise RequestError(f"{len(rows)} rows were found; search for one to see its picture")
    encoded = picture_of(checkout, rows[0].sample)
    if save is not None:
        save_picture(save, encoded)
    if show:
        console().print(in_blocks(encoded))


def _print_contents(found: "DataContents") -> None:
    """Print the classes as a table, and who is in the data."""
    from rich.table import Table

    splits = list(dict.fromkeys(split for one in found.classes for split in one.splits))
    table = Table()
    table.add_column("class")
    for split in splits:
        table.add_column(split, justify="right")
    table.add_column("forgotten by")
    for one in found.classes:
        counts = (str(one.splits.get(split, 0)) for split in splits)
        table.add_row(table_cell(one.name), *counts, ", ".join(one.forgotten_by))
    console().print(table)
    say(f"{found.rows} rows; {found.rows_of_persons} of them belong to {found.persons} person(s)")
    if names := found.without_held_out:
        say(f"no held-out row: {', '.join(names)}; what is forgotten of these cannot be measured")
    say("`lethe data --persons` lists the persons, `lethe data --class NAME` the rows of a class")


def _print_persons(found: "tuple[PersonContents, ...]") -> None:
    """Print how many rows each person has."""
    from rich.table import Table

    splits = list(dict.fromkeys(split for one in found for split in one.splits))
    table = Table()
    table.add_column("person")
    for split in splits:
        table.add_column(split, justify="right")
    for one in found:
        table.add_row(table_cell(one.person), *(str(one.splits.get(split, 0)) for split in splits))
    console().print(table)
    say(f"{len(found)} person(s); `lethe data PERSON` lists the rows of one")


def _print_rows(found: "tuple[FoundRow, ...]") -> None:
    """Print rows as a table, and how to forget one."""
    from rich.table import Table

    table = Table()
    for name in ("sample", "class", "split", "person", "content"):
        table.add_column(name, overflow="fold")
    for one in found[:_MOST_ROWS]:
        cells = (one.sample, one.label, one.split, one.person or "", one.content[:19])
        table.add_row(*map(table_cell, cells))
    console().print(table)
    hidden = f"; {len(found) - _MOST_ROWS} more with --json" if found[_MOST_ROWS:] else ""
    say(f"{len(found)} row(s){hidden}")
