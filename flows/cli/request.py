"""The command ``lethe request``: the ledger of deletion requests."""

from pathlib import Path
from typing import Annotated

import typer

from flows.cli.options import ClassOptions, Json, RequestArgument, SampleOptions, SubjectOptions
from flows.cli.output import Output
from unlearn_core.kinds import Basis, RequestState
from unlearn_core.records.ledger import Entry

app = typer.Typer(help="Deletion requests: come in, wait, are served, in a ledger.", no_args_is_help=True)

Model = Annotated[
    str | None, typer.Option(help="The registered model that shall forget; that of `params.yaml` by default.")
]


@app.command()
def submit(
    *,
    request_id: RequestArgument,
    classes: ClassOptions = None,
    samples: SampleOptions = None,
    subjects: SubjectOptions = None,
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


@app.command(name="import")
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


@app.command(name="list")
def list_(
    state: Annotated[RequestState | None, typer.Option(help="Only those in this state.")] = None,
    due_before: Annotated[
        str | None, typer.Option(metavar="DATE", help="Only those due before this day, e.g. 2026-12-01.")
    ] = None,
    json: Json = False,
) -> None:
    """List requests, the one that is due first in front; what is late and still open is marked."""
    from flows.cli.requests_table import describe_entries, print_entries
    from flows.submit import open_ledger
    from tasks.checkout.environment import now
    from unlearn_core.audit.deadlines import parse_day

    day = None if due_before is None else parse_day(due_before)
    entries = open_ledger(Path.cwd()).entries(state=state, due_before=day)
    described = describe_entries(entries, now())
    Output(json).give(described, lambda: print_entries(described))


@app.command()
def show(request_id: RequestArgument, json: Json = False) -> None:
    """Show a request and everything that happened to it."""
    from flows.cli.requests_table import describe_entries, print_history
    from flows.submit import open_ledger
    from tasks.checkout.environment import now

    entry, events = open_ledger(Path.cwd()).history(request_id)
    (described,) = describe_entries((entry,), now())
    told = [event.model_dump(mode="json") for event in events]
    Output(json).give({**described, "events": told}, lambda: print_history(described, told))


@app.command()
def cancel(
    request_id: RequestArgument,
    *,
    reason: Annotated[str, typer.Option(help="Why, for the record; without names of persons.")],
    json: Json = False,
) -> None:
    """Take back a request that nobody has begun to serve. One that was begun runs to its end."""
    from flows.submit import open_ledger
    from tasks.checkout.environment import actor

    _tell(open_ledger(Path.cwd()).cancel(request_id, actor=actor(), reason=reason), json=json)


@app.command()
def retry(
    request_id: RequestArgument,
    *,
    reason: Annotated[str, typer.Option(help="Why it should do better now, for the record.")],
    json: Json = False,
) -> None:
    """Put a failed request in line again."""
    from flows.submit import retry_request

    _tell(retry_request(Path.cwd(), request_id, reason=reason), json=json)


@app.command(name="verify")
def verify_ledger(
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
    Output(json).give({"verified": True, "head": found}, lambda: told)


def _tell(*entries: Entry, json: bool, many: bool = False) -> None:
    """Print how requests stand; as JSON one request is an object, and many are a list."""
    from flows.cli.requests_table import describe_entries, tell_entries
    from tasks.checkout.environment import now

    described = describe_entries(entries, now())
    Output(json).give(described if many else described[0], lambda: tell_entries(described))
