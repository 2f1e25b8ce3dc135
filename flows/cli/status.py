"""``lethe status``: how the project stands, and what to do next."""

from pathlib import Path
from typing import TYPE_CHECKING

from flows.cli.options import Json
from flows.cli.output import Output
from unlearn_core.names import one_line

if TYPE_CHECKING:
    from unlearn_core.records.status import Status, Waiting

_PROGRESS = {
    "missing": "is not in requests/",
    "unreadable": "its file cannot be read as a request",
    "new": "is not served yet",
    "served": "has its certificate",
    "refused": "no model was accepted",
    "unapproved": "a model was accepted, and waits for a person",
    "unfinished": "a model was accepted, and the rest was interrupted",
}


def command(json: Json = False) -> None:
    """Show the model in use, what waits and when it is due, what has to run again, and what to do next.

    It reads the project's files, DVC's lock, the ledger and MLflow's store; nothing is changed, and no server
    is started. Whether somebody changed an output by hand is for `dvc status`, which reads them all.
    """
    from tasks.checkout.checkout import Checkout

    checkout = Checkout.find(Path.cwd())
    # Only a project is worth the loading of the ledger's library.
    from flows.status import status

    found = status(checkout)
    Output(json).give(found.model_dump(mode="json"), lambda: tell_status(found))


def tell_status(found: "Status") -> str:
    """Return a project's status as lines for a terminal."""
    lines = [
        f"{'model':<12} {found.model} {_in_use(found)}",
        f"{'request':<12} {found.request}: {_PROGRESS[found.progress]}",
        *_rows("waiting", [_waiting(one) for one in found.waiting] or ["nothing"]),
        *_rows("stale", [f"{one.stage}: {one.why}" for one in found.stale] or ["nothing"]),
        *_rows("problem", [one_line(one) for one in found.problems]),
        "",
        *_rows("next", [f"{one.command:<31} {one_line(one.why)}" for one in found.next]),
    ]
    return "\n".join(lines)


def _in_use(found: "Status") -> str:
    """Say which version is in use, and what it forgot."""
    if (champion := found.champion) is None:
        return "has no version in use yet"
    origin = f", {champion.method} for request {champion.request}" if champion.request else ""
    return f"version {champion.version} is in use{origin}"


def _waiting(one: "Waiting") -> str:
    """Say where a request waits, until when it may, and why it does."""
    late = ", overdue" if one.overdue else ""
    why = f"; waits {one.why}" if one.why else ""
    return f"{one.request}: {one.state}{f', due {one.due}{late}' if one.due else ''}{why}"


def _rows(title: str, texts: "list[str] | tuple[str, ...]") -> list[str]:
    """Return rows of which the first has a title."""
    return [f"{title if not index else '':<12} {text}" for index, text in enumerate(texts)]
