"""The command ``lethe request``: the ledger of deletion requests."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flows.cli.options import ClassOptions, Json, RequestArgument, SampleOptions, SubjectOptions
from flows.cli.output import Output
from unlearn_core.kinds import Basis, RequestState

if TYPE_CHECKING:
    from unlearn_core.records.ledger import Entry

app = typer.Typer(help="The ledger of deletion requests: received, waiting, served.", no_args_is_help=True)

Model = Annotated[
    str | None, typer.Option(help="The registered model that is to forget; by default that of `params.yaml`.")
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
        str | None, typer.Option(metavar="DATE", help="When it arrived, e.g. 2026-11-20; now by default.")
    ] = None,
    model: Model = None,
    json: Json = False,
) -> None:
    """Enter a request in the ledger, e.g. `lethe request submit r-17 --subject S`.

    In a checkout it is first checked against the data, as by `lethe delete`; one that does not fit leaves no
    trace. Ids of samples and subjects become keyed pseudonyms immediately. The same request twice is entered
    once.
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

    A CSV has the columns `id`, `kind` (class, sample or subject) and `name`, and optionally `basis` and
    `received`; several rows with one id are one request for several names, also of several kinds. A JSON
    file is a list of objects with these keys. Invalid rows are listed by line and column; values that may
    name a person are never printed. Requests that are already in the ledger stay as they are, so a file may
    be imported twice.
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
    """List requests, those due first on top; what is overdue, or was completed late, is marked."""
    from flows.cli.requests_table import describe_entries, print_entries
    from flows.submit import open_ledger
    from tasks.checkout.environment import now
    from unlearn_core.audit.deadlines import parse_day

    day = None if due_before is None else parse_day(due_before)
    ledger = open_ledger(Path.cwd())
    entries = ledger.entries(state=state, due_before=day)
    described = describe_entries(entries, now(), ledger.completions())
    Output(json).give(described, lambda: print_entries(described))


@app.command()
def show(request_id: RequestArgument, json: Json = False) -> None:
    """Show a request, every run of it, and everything else that happened to it."""
    from flows.cli.requests_table import describe_entries, print_history
    from flows.submit import open_ledger
    from tasks.checkout.environment import now
    from unlearn_core.audit.histories import history_of

    ledger = open_ledger(Path.cwd())
    entry, events = ledger.history(request_id)
    (described,) = describe_entries((entry,), now(), ledger.completions())
    told = [event.model_dump(mode="json") for event in events]
    history = history_of(events)
    shown = {**described, "events": told, "history": history.model_dump(mode="json")}
    Output(json).give(shown, lambda: print_history(described, told, history))


@app.command()
def cancel(
    request_id: RequestArgument,
    *,
    reason: Annotated[str, typer.Option(help="Why, for the record; without personal names.")],
    json: Json = False,
) -> None:
    """Cancel a request that has not been started. A started one runs to its end."""
    from flows.submit import cancel_request

    _tell(cancel_request(Path.cwd(), request_id, reason=reason), json=json)


@app.command()
def retry(
    request_id: RequestArgument,
    *,
    reason: Annotated[str, typer.Option(help="Why it should succeed now, for the record.")],
    json: Json = False,
) -> None:
    """Queue a failed request again."""
    from flows.submit import retry_request

    _tell(retry_request(Path.cwd(), request_id, reason=reason), json=json)


@app.command(name="hold")
def hold_request(
    request_id: RequestArgument,
    *,
    reason: Annotated[str, typer.Option(help="Why, for the record; without personal names.")],
    json: Json = False,
) -> None:
    """Hold a request: nothing that it names is purged until it is released, e.g. for a court."""
    from flows.submit import notice

    _tell(notice(Path.cwd(), request_id, "hold", reason=reason), json=json)


@app.command(name="release")
def release_request(
    request_id: RequestArgument,
    *,
    reason: Annotated[str, typer.Option(help="Why, for the record; without personal names.")],
    json: Json = False,
) -> None:
    """End a hold: what the request names may be purged."""
    from flows.submit import notice

    _tell(notice(Path.cwd(), request_id, "release", reason=reason), json=json)


@app.command(name="verify")
def verify_ledger(
    *,
    head: Annotated[
        str | None, typer.Option(metavar="DIGEST", help="A head kept elsewhere; the ledger must contain it.")
    ] = None,
    json: Json = False,
) -> None:
    """Recompute the chain of events, and compare it with the requests and with every head at hand.

    Heads are in the certificates of this checkout and of the bucket; so a ledger that was cut off or rebuilt
    is noticed. Names what was altered, and exits with 6.
    """
    from flows.cli.requests_table import tell_compared
    from flows.submit import open_ledger
    from tasks.checkout.environment import find_checkout
    from tasks.evidence.heads import compare_ledger, gather_heads

    ledger, root = open_ledger(Path.cwd()), find_checkout(Path.cwd())
    at_hand = gather_heads(root, shared=ledger.is_shared)
    found = compare_ledger(ledger, at_hand, head)
    compared = {"compared": dict(at_hand.heads()), "not_compared": at_hand.left_out}
    told = tell_compared(found, **compared)
    Output(json).give({"verified": True, "head": found, **compared}, lambda: told)


def _tell(*entries: "Entry", json: bool, many: bool = False) -> None:
    """Print the requests' states; as JSON one request is an object, and many are a list."""
    from flows.cli.requests_table import describe_entries, tell_entries
    from tasks.checkout.environment import now

    described = describe_entries(entries, now())
    Output(json).give(described if many else described[0], lambda: tell_entries(described))
