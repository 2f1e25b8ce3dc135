"""The command ``lethe request``: the ledger of deletion requests."""

from pathlib import Path
from typing import Annotated

import typer

from unlearn_core.records.ledger import Basis, Entry, State

request = typer.Typer(help="Deletion requests: come in, wait, are served, in a ledger.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of tables.")]
Id = Annotated[str, typer.Argument(metavar="ID", help="The request's id, e.g. `r-17`.")]
Names = list[str] | None
Model = Annotated[
    str | None, typer.Option(help="The registered model that shall forget; that of `params.yaml` by default.")
]


@request.command()
def submit(
    *,
    request_id: Id,
    classes: Annotated[Names, typer.Option("--class", help="Forget this class. Repeatable.")] = None,
    samples: Annotated[Names, typer.Option("--sample", help="Forget this sample. Repeatable.")] = None,
    subjects: Annotated[Names, typer.Option("--subject", help="Forget this person. Repeatable.")] = None,
    basis: Annotated[
        Basis, typer.Option(help="The law: `gdpr` is due in one month, `ccpa` in 45 days.")
    ] = "gdpr",
    received: Annotated[
        str | None, typer.Option(metavar="DATE", help="When it came in, e.g. 2026-11-20; now by default.")
    ] = None,
    model: Model = None,
    json: Json = False,
) -> None:
    """Enter a request in the ledger, e.g. `lethe request submit r-17 --subject S`.

    In a checkout it is checked against the data first, as `lethe delete` does; one that does not fit leaves
    no trace. Ids of samples and subjects become keyed pseudonyms at once. The same request twice is one.
    """
    from flows.submit import submit_typed

    entry = submit_typed(
        Path.cwd(),
        request_id,
        classes=tuple(classes or ()),
        samples=tuple(samples or ()),
        subjects=tuple(subjects or ()),
        basis=basis,
        received=received,
        model=model,
    )
    _tell(entry, json=json)


@request.command(name="import")
def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A .csv or a .json file.")],
    model: Model = None,
    json: Json = False,
) -> None:
    """Enter all requests of a file, or none of them.

    A CSV has the columns `id`, `kind` (class, sample or subject) and `name`, and perhaps `basis` and
    `received`; several rows of one id are one request for several names. A JSON file is a list of objects
    with these keys. Wrong rows are listed by line and column; what may name a person is never repeated.
    Requests that are in the ledger already stay as they are, so a file may be imported twice.
    """
    from flows.submit import import_file

    _tell(*import_file(Path.cwd(), file, model=model), json=json, many=True)


@request.command(name="list")
def list_(
    state: Annotated[State | None, typer.Option(help="Only those in this state.")] = None,
    due_before: Annotated[
        str | None, typer.Option(metavar="DATE", help="Only those due before this day, e.g. 2026-12-01.")
    ] = None,
    json: Json = False,
) -> None:
    """List requests, the one that is due first in front; what is late and still open is marked."""
    from flows.cli.request_printing import describe_entries, print_entries
    from flows.submit import open_ledger
    from tasks.checkout.environment import now
    from unlearn_core.audit.deadlines import parse_day

    day = None if due_before is None else parse_day(due_before)
    entries = open_ledger(Path.cwd()).entries(state=state, due_before=day)
    described = describe_entries(entries, now())
    _print_json(described) if json else print_entries(described)


@request.command()
def show(request_id: Id, json: Json = False) -> None:
    """Show a request and everything that happened to it."""
    from flows.cli.request_printing import describe_entries, print_entries, print_events
    from flows.submit import open_ledger
    from tasks.checkout.environment import now

    entry, events = open_ledger(Path.cwd()).history(request_id)
    (described,) = describe_entries((entry,), now())
    told = [event.model_dump(mode="json") for event in events]
    if json:
        _print_json({**described, "events": told})
        return
    print_entries([described])
    print_events(told)


@request.command()
def cancel(
    request_id: Id,
    *,
    reason: Annotated[str, typer.Option(help="Why, for the record; without names of persons.")],
    json: Json = False,
) -> None:
    """Take back a request that nobody has begun to serve. One that was begun runs to its end."""
    from flows.submit import open_ledger
    from tasks.checkout.environment import actor

    _tell(open_ledger(Path.cwd()).cancel(request_id, actor=actor(), reason=reason), json=json)


@request.command()
def retry(
    request_id: Id,
    *,
    reason: Annotated[str, typer.Option(help="Why it should do better now, for the record.")],
    json: Json = False,
) -> None:
    """Put a failed request in line again."""
    from flows.submit import retry_request

    _tell(retry_request(Path.cwd(), request_id, reason=reason), json=json)


@request.command()
def verify(
    *,
    head: Annotated[
        str | None, typer.Option(metavar="DIGEST", help="A head kept elsewhere; the ledger must hold it.")
    ] = None,
    json: Json = False,
) -> None:
    """Recompute the chain of events, and compare it with how the requests stand.

    Names the first event that is not as it was written, and exits with 6. A tail that was cut off shows only
    against a `--head` that was kept somewhere else.
    """
    from flows.submit import open_ledger

    found = open_ledger(Path.cwd()).verify(head)
    told = f"verified   head {found or 'none yet'}"
    _print_json({"verified": True, "head": found}) if json else print(told)


def _tell(*entries: Entry, json: bool, many: bool = False) -> None:
    """Print how requests stand; as JSON one request is an object, and many are a list."""
    from flows.cli.request_printing import describe_entries, tell_entries
    from tasks.checkout.environment import now

    described = describe_entries(entries, now())
    if json:
        _print_json(described if many else described[0])
        return
    print(tell_entries(described))


def _print_json(value: object) -> None:
    from flows.cli.printing import print_json

    print_json(value)
