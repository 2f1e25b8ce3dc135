"""``lethe methods``: what can forget."""

import inspect
from typing import Any

from flows.cli.options import Json
from flows.cli.output import Output, console


def command(json: Json = False) -> None:
    """List the methods: what each needs, touches and supports."""
    described = describe_methods()
    Output(json).give(described, lambda: tell_methods(described))


def describe_methods() -> list[dict[str, Any]]:
    """Return every method in the catalogue, as JSON values."""
    from unlearn_core.methods import CATALOGUE

    return [
        {
            "name": kind.model_fields["name"].default,
            "summary": kind.summary,
            "needs": sorted(kind.needs),
            "uses": sorted(kind.uses),
            "touches": kind.touches,
            "scopes": sorted(kind.scopes),
            "settings": [name for name in kind.model_fields if name != "name"],
            "space": {name: found.model_dump(mode="json") for name, found in kind.space.items()},
            "description": inspect.cleandoc(kind.__doc__ or ""),
        }
        for kind in CATALOGUE
    ]


def tell_methods(described: list[dict[str, Any]]) -> str:
    """Print every method in the catalogue as a table, and return where to read on."""
    from rich.table import Table

    table = Table(show_lines=True)
    for name in ("method", "what it does", "needs", "uses if there", "touches", "forgets"):
        table.add_column(name)
    for row in described:
        lists = (", ".join(row[name]) or "–" for name in ("needs", "uses"))
        table.add_row(row["name"], row["summary"], *lists, row["touches"], ", ".join(row["scopes"]))
    console().print(table)
    return "`lethe methods --json` tells each one's settings and paper"
