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

Why = Annotated[str, typer.Option(help="Why, for the record; without personal names.")]


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
    model: Annotated[str | None, typer.Option(help="Only those for this registered model.")] = None,
    *,
    page: Annotated[int, typer.Option(min=1, help="Which page of them.")] = 1,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="The most on a page.")] = 100,
    json: Json = False,
) -> None:
    """List requests, those due first on top; what is overdue, or was completed late, is marked.

    A list of more than a page says so, as JSON on the error output; `--page 2` shows the next ones.
    """
    from flows.cli.requests_table import describe_entries, print_entries
    from tasks.checkout.environment import now
    from tasks.checkout.log import tell
    from tasks.requests.ledger.finding import open_ledger
    from unlearn_core.audit.deadlines import parse_day

    day = None if due_before is None else parse_day(due_before)
    ledger, start = open_ledger(Path.cwd()), (page - 1) * limit
    entries = ledger.entries(state=state, due_before=day, model=model, limit=limit, after=start)
    described = describe_entries(entries, now(), ledger.completions([entry.id for entry in entries]))
    Output(json).give(described, lambda: print_entries(described))
    if (held := ledger.count(state=state, due_before=day, model=model)) > len(entries):
        tell(f"· page {page} of {-(-held // limit)}: {len(entries)} of {held} requests")


@app.command()
def show(request_id: RequestArgument, json: Json = False) -> None:
    """Show a request, why it waits, every run of it, and everything else that happened to it."""
    from flows.cli.requests_table import describe_entries, print_history
    from tasks.checkout.environment import now
    from tasks.requests.ledger.finding import open_ledger
    from tasks.requests.ledger.waiting import why_waiting
    from unlearn_core.audit.histories import history_of

    ledger = open_ledger(Path.cwd())
    entry, events = ledger.history(request_id)
    (described,) = describe_entries((entry,), now(), ledger.completions([entry.id]))
    told = [event.model_dump(mode="json") for event in events]
    history = history_of(events)
    described["waits"] = why_waiting(ledger, [entry]).get(entry.id)
    shown = {**described, "events": told, "history": history.model_dump(mode="json")}
    Output(json).give(shown, lambda: print_history(described, told, history))


@app.command()
def cancel(
    request_id: RequestArgument,
    *,
    reason: Why,
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
    reason: Why,
    json: Json = False,
) -> None:
    """Hold a request: nothing that it names is purged until it is released, e.g. for a court."""
    from flows.submit import notice

    _tell(notice(Path.cwd(), request_id, "hold", reason=reason), json=json)


@app.command(name="release")
def release_request(
    request_id: RequestArgument,
    *,
    reason: Why,
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

    Heads are in the certificates of this checkout and of the bucket, and in those that `lethe request stamp`
    had stamped; so a ledger that was cut off or rebuilt is noticed. Names what was altered, and exits with 6.
    """
    from flows.cli.requests_table import tell_compared
    from tasks.checkout.environment import find_checkout
    from tasks.evidence.heads import compare_ledger, gather_heads
    from tasks.requests.ledger.finding import open_ledger

    ledger, root = open_ledger(Path.cwd()), find_checkout(Path.cwd())
    at_hand = gather_heads(root, shared=ledger.is_shared)
    found = compare_ledger(ledger, at_hand, head)
    compared = {"compared": dict(at_hand.heads()), "not_compared": at_hand.left_out}
    told = tell_compared(found, **compared)
    Output(json).give({"verified": True, "head": found, **compared}, lambda: told)


@app.command(name="stamp")
def stamp_ledger(json: Json = False) -> None:
    """Have the ledger's head stamped: its whole history existed then, according to the authority.

    LETHE_TSA_URL is the authority's address (RFC 3161), and LETHE_TSA_CA the file of the certificates that it
    is believed by. The head goes to `evidence/_ledger`, and into the bucket if one is configured;
    `lethe request verify` compares the ledger with it from then on.
    """
    from tasks.checkout.checkout import Checkout
    from tasks.evidence.head_stamps import stamp_head
    from tasks.requests.ledger.finding import open_ledger

    path, anchor = stamp_head(Checkout.find(Path.cwd()).root, open_ledger(Path.cwd()))
    told = f"stamped      {path.name}: {anchor.time}, according to {anchor.authority}"
    Output(json).give({"file": str(path), **anchor._asdict()}, lambda: told)


def _tell(*entries: "Entry", json: bool, many: bool = False) -> None:
    """Print the requests' states; as JSON one request is an object, and many are a list."""
    from flows.cli.requests_table import describe_entries, tell_entries
    from tasks.checkout.environment import now

    described = describe_entries(entries, now())
    Output(json).give(described if many else described[0], lambda: tell_entries(described))
