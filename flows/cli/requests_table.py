"""How requests of the ledger are shown."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Table

from flows.cli.output import console, say, table_cell
from unlearn_core.audit.deadlines import is_overdue
from unlearn_core.kinds import OPEN
from unlearn_core.names import one_line
from unlearn_core.records.base import Sha256, UtcTime
from unlearn_core.records.history import RequestHistory
from unlearn_core.records.ledger import Entry
from unlearn_core.records.request import RequestId
from unlearn_core.records.scope import ClassScope, Scope, parts_of

_COLOURS = {"completed": "green", "running": "cyan", "failed": "red"}


def describe_entries(
    entries: Sequence[Entry], now: UtcTime, completions: Mapping[RequestId, UtcTime] | None = None
) -> list[dict[str, Any]]:
    """Return requests as JSON values.

    Args:
        entries: The requests.
        now: The present.
        completions: When each completed request was completed.

    Returns:
        One flat object for each; ``overdue`` means late and still open, ``late`` that it was completed late.
    """
    ended = completions or {}
    return [
        {
            "id": entry.id,
            "state": entry.state,
            "due": entry.submission.due,
            "overdue": entry.state in OPEN and is_overdue(entry.submission.due, now),
            "completed": (done := ended.get(entry.id)),
            "late": None if done is None else is_overdue(entry.submission.due, done),
            "received": entry.submission.received,
            "basis": entry.submission.basis,
            "model": entry.submission.model,
            "scope": entry.submission.request.scope.model_dump(mode="json"),
            "forgets": _in_words(entry.submission.request.scope),
            "attempts": entry.attempts,
            "worker": entry.worker,
            "lease_until": entry.lease_until,
            "waits_until": entry.waits_until,
            "digest": entry.submission.digest,
        }
        for entry in entries
    ]


def _in_words(scope: Scope) -> str:
    """Say what is to be forgotten: classes by name, anything else by count."""
    told = []
    for part in parts_of(scope):
        if isinstance(part, ClassScope):
            told.append(f"class{'es' if part.classes[1:] else ''} {', '.join(map(one_line, part.classes))}")
        else:
            count = len(part.names)
            told.append(f"{count} {part.kind if count > 1 else part.kind.removesuffix('s')}")
    return " and ".join(told)


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
        wait = f", waits until {one['waits_until']}" if one["waits_until"] else ""
        colour = _COLOURS.get(one["state"], "default")
        worker = f" ({table_cell(one['worker'])})" if one["worker"] else ""
        when = (
            f" {one['completed'][:10]}{' [bold red]late[/]' if one['late'] else ''}"
            if one["completed"]
            else ""
        )
        table.add_row(
            one["id"],
            due,
            f"[{colour}]{one['state']}[/]{worker}{when}{wait}",
            one["received"][:10],
            one["basis"],
            one["model"],
            table_cell(one["forgets"]),
            str(one["attempts"]),
        )
    console().print(table)


def print_history(
    described: dict[str, Any], events: Sequence[dict[str, Any]], history: RequestHistory
) -> None:
    """Print a request, its runs, and everything that happened to it."""
    print_entries([described])
    _print_events(events)
    if described.get("waits"):
        say(f"waits      {described['waits']}")
    if history.runs:
        results = ", ".join(f"{count} {result}" for result, count in history.results.items())
        print(f"runs       {len(history.runs)}: {results}")
        print(f"policy     {'was changed' if len(history.policies) > 1 else 'always the same'}")


def _print_events(events: Sequence[dict[str, Any]]) -> None:
    """Print what happened to a request as a table."""
    table = Table()
    for name in ("event", "time", "action", "state", "who", "why"):
        table.add_column(name, justify="right" if name == "event" else "left")
    for event in events:
        why = "; ".join(filter(None, (event.get("run"), event["reason"], _policy(event))))
        words = (table_cell(event["actor"]), table_cell(why))
        table.add_row(str(event["sequence"]), event["time"], event["action"], event["after"], *words)
    console().print(table)


def _policy(event: dict[str, Any]) -> str:
    """Return the start of the digest of an event's policy."""
    policy = event.get("policy")
    return f"policy {policy.removeprefix('sha256:')[:12]}" if policy else ""


def tell_compared(
    head: Sha256 | None, *, compared: Mapping[str, Sha256], not_compared: Mapping[str, str]
) -> str:
    """Tell that the ledger was verified, and with which heads it was compared and with which not."""
    lines = [f"verified   head {head or 'none yet'}"]
    lines += [f"compared   {kept} of {place}" for place, kept in compared.items()]
    lines += [f"not        {place}: {' '.join(why.split())}" for place, why in not_compared.items()]
    return "\n".join(lines)
