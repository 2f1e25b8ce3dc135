"""How requests of the ledger are shown."""

from collections.abc import Sequence
from typing import Any

from rich.table import Table

from flows.cli.output import console, say, table_cell
from tasks.checkout.texts import one_line
from unlearn_core.audit.deadlines import is_overdue
from unlearn_core.records.base import UtcTime
from unlearn_core.records.ledger import Entry
from unlearn_core.records.request import ClassScope, Scope

OPEN = {"received", "running", "failed"}
_COLOURS = {"completed": "green", "running": "cyan", "failed": "red"}


def describe_entries(entries: Sequence[Entry], now: UtcTime) -> list[dict[str, Any]]:
    """Return requests as JSON values.

    Args:
        entries: The requests.
        now: The present.

    Returns:
        One flat object for each; ``overdue`` means late and still open.
    """
    return [
        {
            "id": entry.id,
            "state": entry.state,
            "due": entry.submission.due,
            "overdue": entry.state in OPEN and is_overdue(entry.submission.due, now),
            "received": entry.submission.received,
            "basis": entry.submission.basis,
            "model": entry.submission.model,
            "scope": entry.submission.request.scope.model_dump(mode="json"),
            "forgets": _in_words(entry.submission.request.scope),
            "attempts": entry.attempts,
            "worker": entry.worker,
            "lease_until": entry.lease_until,
            "digest": entry.submission.digest,
        }
        for entry in entries
    ]


def _in_words(scope: Scope) -> str:
    """Say what is to be forgotten: classes by name, anything else by count."""
    if isinstance(scope, ClassScope):
        return f"class{'es' if scope.classes[1:] else ''} {', '.join(map(one_line, scope.classes))}"
    count = len(scope.model_dump()[scope.kind])
    return f"{count} {scope.kind if count > 1 else scope.kind.removesuffix('s')}"


def tell_entries(described: Sequence[dict[str, Any]]) -> str:
    """Return one line for each request that was just changed or entered."""
    return "\n".join(
        f"{one['id']}  {one['state']}, due {one['due']} ({one['basis']}), {one['forgets']} of {one['model']}"
        for one in described
    )


def print_entries(described: Sequence[dict[str, Any]]) -> None:
    """Print requests as a table."""
    if not described:
        say("no such requests in the ledger; `lethe request submit --help` shows how to enter one")
        return
    table = Table()
    for name in ("id", "due", "state", "received", "basis", "model", "forgets", "attempts"):
        table.add_column(name, justify="right" if name == "attempts" else "left")
    for one in described:
        due = f"[bold red]{one['due']} overdue[/]" if one["overdue"] else one["due"]
        colour = _COLOURS.get(one["state"], "default")
        worker = f" ({table_cell(one['worker'])})" if one["worker"] else ""
        table.add_row(
            one["id"],
            due,
            f"[{colour}]{one['state']}[/]{worker}",
            one["received"][:10],
            one["basis"],
            one["model"],
            table_cell(one["forgets"]),
            str(one["attempts"]),
        )
    console().print(table)


def print_history(described: dict[str, Any], events: Sequence[dict[str, Any]]) -> None:
    """Print a request, and everything that happened to it."""
    print_entries([described])
    _print_events(events)


def _print_events(events: Sequence[dict[str, Any]]) -> None:
    """Print what happened to a request as a table."""
    table = Table()
    for name in ("event", "time", "action", "state", "who", "why"):
        table.add_column(name, justify="right" if name == "event" else "left")
    for event in events:
        words = (table_cell(event["actor"]), table_cell(event["reason"] or ""))
        table.add_row(str(event["sequence"]), event["time"], event["action"], event["after"], *words)
    console().print(table)
