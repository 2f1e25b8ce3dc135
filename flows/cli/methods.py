"""``lethe methods``: the list of methods."""

import inspect
from typing import Any

from flows.cli.options import Json
from flows.cli.output import Output, console, table_cell


def command(json: Json = False) -> None:
    """List the methods: what each needs, touches and supports, Lethe's own and those of other packages."""
    from tasks.checkout.log import tell
    from tasks.checkout.progress import signs_of_life

    with signs_of_life("methods"):
        described, problems = describe_methods()
    for problem in problems:
        tell(f"· {problem}")
    Output(json).give(described, lambda: tell_methods(described))


def describe_methods() -> tuple[list[dict[str, Any]], tuple[str, ...]]:
    """Return every method as JSON values, and the problems of those that cannot be used."""
    from tasks.extensions.catalogues import list_all
    from unlearn_core.catalogue import name_of

    listed = list_all("method")
    described = [
        {
            "name": name_of(kind),
            "package": None if offer is None else str(offer),
            "summary": kind.summary,
            "needs": sorted(kind.needs),
            "uses": sorted(kind.uses),
            "touches": kind.touches,
            "scopes": sorted(kind.scopes),
            "settings": [name for name in kind.model_fields if name != "name"],
            "space": {name: found.model_dump(mode="json") for name, found in kind.space.items()},
            "description": inspect.cleandoc(kind.__doc__ or ""),
        }
        for kind, offer in listed.kinds
    ]
    return described, listed.problems


def tell_methods(described: list[dict[str, Any]]) -> str:
    """Print every method as a table, and return where to read more."""
    from rich.table import Table

    table = Table(show_lines=True)
    for name in ("method", "what it does", "needs", "may use", "touches", "forgets"):
        table.add_column(name)
    for row in described:
        lists = (", ".join(row[name]) or "–" for name in ("needs", "uses"))
        origin = f"\n({table_cell(row['package'])})" if row["package"] else ""
        scopes = ", ".join(row["scopes"])
        words = (table_cell(row["summary"]), *lists, table_cell(row["touches"]))
        table.add_row(f"{table_cell(row['name'])}{origin}", *words, scopes)
    console().print(table)
    return "`lethe methods --json` lists each one's settings and paper"
