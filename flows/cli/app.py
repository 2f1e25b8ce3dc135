"""The command ``lethe``. Heavy libraries are imported by the commands that need them."""

import errno
import json
import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from flows.cli.adopt import adopt
from flows.cli.benchmark import benchmark
from flows.cli.canary import canary
from flows.cli.db import database
from flows.cli.evidence import evidence
from flows.cli.reference import reference
from flows.cli.request import request
from flows.cli.verify import verify
from flows.cli.work import approve, deploy, pending, serve
from tasks.checkout.environment import configure_libraries
from unlearn_core.errors import LetheError, SetupError

app = typer.Typer(
    help="Make a trained model forget, and prove it: auditable machine unlearning.",
    epilog="Start with `lethe demo`. Exit codes: 0 done, 2 wrong usage, 3 unlearning failed, 4 a stage "
    "stopped, 5 no method was accepted, 6 evidence is false.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
)
keys = typer.Typer(help="Signing key, trusted keys and pseudonym key.", no_args_is_help=True)
app.add_typer(keys, name="keys")
app.add_typer(canary, name="canary")
app.add_typer(request, name="request")
app.add_typer(database, name="db")
app.add_typer(evidence, name="evidence")

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of tables.")]
Names = list[str] | None
NOT_WRITABLE = {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT}


def main() -> None:
    """Run the command line; an error of Lethe's own, or of the machine, is one message and an exit code."""
    configure_libraries()
    if (here := str(Path.cwd())) not in sys.path:
        # As for the stages, which DVC starts with `python -m`: a net's factory may lie in the checkout.
        sys.path.append(here)
    try:
        app()
    except LetheError as error:
        _fail(str(error), error.exit_code)
    except OSError as error:
        if error.errno not in NOT_WRITABLE:
            raise
        _fail(f"{error}; make room there, or let yourself write", SetupError.exit_code)


def _fail(reason: str, exit_code: int) -> NoReturn:
    """Say why, to a person and, if it asked for JSON, to a program, and exit."""
    print(f"lethe: {reason}", file=sys.stderr)
    if "--json" in sys.argv:
        print(json.dumps({"exit_code": exit_code, "reason": reason}))
    sys.exit(exit_code)


@app.command()
def demo(json: Json = False) -> None:
    """Watch a real model forget: the whole pipeline on scanned digits, and the ladder's methods compared.

    Trains a small net, serves the request of `requests/demo.json` (forget the digit 3), registers the
    model, signs the certificate and verifies it. Takes about a minute on two cores.
    """
    from flows.cli.printing import print_demo, print_json
    from flows.demo import run_demo
    from tasks.checkout.checkout import Checkout

    with Checkout.open(Path.cwd()) as checkout:
        result = run_demo(checkout)
    print_json(result) if json else print_demo(result)


@app.command()
def train(json: Json = False) -> None:
    """Make the parent model that deletions start from, as `params.yaml` says."""
    from flows.cli.printing import print_checkpoint, print_json
    from flows.train import train as train_flow
    from tasks.checkout.checkout import Checkout

    with Checkout.open(Path.cwd()) as checkout:
        card = train_flow(checkout)
    print_json(card.model_dump(mode="json")) if json else print_checkpoint(card)


app.command()(adopt)


@app.command()
def delete(
    request_id: Annotated[str, typer.Argument(metavar="REQUEST", help="The request's id, e.g. `demo`.")],
    classes: Annotated[Names, typer.Option("--class", help="Forget this class. Repeatable.")] = None,
    samples: Annotated[Names, typer.Option("--sample", help="Forget this sample. Repeatable.")] = None,
    subjects: Annotated[Names, typer.Option("--subject", help="Forget this person. Repeatable.")] = None,
    json: Json = False,
) -> None:
    """Serve one deletion request: unlearn, judge, register, certify.

    A new request is given by its scope, e.g. `lethe delete r-17 --class 3`; one in `requests/`, which may be
    a group, by its id alone. Ids of samples and subjects are turned into pseudonyms at once. The first method
    on the policy's ladder that the gate accepts is taken. A request that was served before is not served
    again.
    """
    from flows.cli.printing import print_json, print_released
    from flows.delete import delete as delete_request
    from flows.delete import require_ready
    from tasks.checkout.checkout import Checkout
    from tasks.requests.request_file import told_as_typed, typed_request

    named = {"samples": tuple(samples or ()), "subjects": tuple(subjects or ())}
    with Checkout.open(Path.cwd()) as checkout, told_as_typed(**named):
        require_ready()
        request = typed_request(checkout, request_id, classes=tuple(classes or ()), **named)
        released = delete_request(checkout, request)
    told = [one.model_dump(mode="json") for one in released]
    print_json(told if len(told) > 1 else told[0]) if json else print_released(*released)


@app.command()
def tune(
    method: Annotated[str, typer.Argument(metavar="METHOD", help="One of `lethe methods`.")],
    trials: Annotated[int, typer.Option(min=1, help="How many trials there shall be in all.")] = 20,
    timeout_s: Annotated[
        float | None, typer.Option("--timeout-s", min=0, help="Begin no trial after so many seconds.")
    ] = None,
    json: Json = False,
) -> None:
    """Find a method's hyper-parameters for the request that `params.yaml` names.

    Candidates are judged on the tuning split; audit and test images are not even decoded. What did better
    than the present settings is written into `params.yaml`. A search that was interrupted goes on where it
    was; more `--trials` extend it. What it took is added to what the method is said to cost.
    """
    from flows.cli.printing import print_json, print_tuning
    from flows.tune import tune as tune_method
    from tasks.checkout.checkout import Checkout

    with Checkout.open(Path.cwd()) as checkout:
        record = tune_method(checkout, method, trials=trials, timeout_s=timeout_s)
    print_json(record.model_dump(mode="json")) if json else print_tuning(record)


app.command()(approve)
app.command()(reference)
app.command()(benchmark)
app.command()(pending)
app.command()(serve)
app.command()(deploy)


@app.command(name="next")
def continue_(json: Json = False) -> None:
    """Make the promoted model and its retained data the start of the next request."""
    from flows.cli.printing import print_json, print_next
    from tasks.checkout.checkout import Checkout
    from tasks.lifecycle.releases import continue_from_champion

    with Checkout.open(Path.cwd()) as checkout:
        model, data = continue_from_champion(checkout)
    print_json({"model": str(model), "data": str(data)}) if json else print_next(model, data)


app.command()(verify)


@app.command()
def report(
    request_id: Annotated[
        str | None, typer.Argument(metavar="[REQUEST]", help="The request's id; the last one's by default.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option(help="Write the page here instead of among the evidence.")
    ] = None,
    open_: Annotated[bool, typer.Option("--open", help="Open the page in a browser.")] = False,
    json: Json = False,
) -> None:
    """Write the page that tells a deletion to people: the verdict, what was done, how it is known.

    One HTML file that loads nothing from anywhere. Serving a request writes it already; this writes it again
    from the records, and for a request on which no model was accepted it says why.
    """
    from flows.cli.printing import print_json
    from flows.report import report_on
    from tasks.checkout.checkout import Checkout

    with Checkout.open(Path.cwd()) as checkout:
        named, page = report_on(checkout, request_id, output)
    print_json({"request": named, "report": str(page)}) if json else print(page)
    if open_:
        typer.launch(page.resolve().as_uri())


@app.command()
def methods(json: Json = False) -> None:
    """List the methods: what each needs, touches and supports."""
    from flows.cli.printing import describe_methods, print_json, print_methods

    print_json(describe_methods()) if json else print_methods()


@app.command()
def ui(port: Annotated[int, typer.Option(help="On the loopback interface.")] = 5000) -> None:
    """Open MLflow on this checkout's runs and registry, for auditing."""
    from tasks.checkout.checkout import Checkout
    from tasks.tracking.server import serve_ui

    serve_ui(Checkout.find(Path.cwd()).root, port)


@keys.command(name="init")
def init(
    force: Annotated[
        bool, typer.Option("--force", help="Replace the signing key; the old one stays trusted.")
    ] = False,
    json: Json = False,
) -> None:
    """Make the signing key and the pseudonym key, readable by you alone, and trust the public key."""
    from flows.cli.printing import print_json, print_keys
    from tasks.keys.signing import home, init_keys

    made = init_keys(home(), force=force)
    print_json({"home": str(home()), "made": [str(path) for path in made]}) if json else print_keys(
        home(), made
    )
