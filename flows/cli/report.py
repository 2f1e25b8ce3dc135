"""``lethe report``: the page that explains a deletion to people."""

from pathlib import Path
from typing import Annotated

import typer

from flows.cli.options import Json
from flows.cli.output import Output
from flows.cli.wrong_usage import request_id_typed


def command(
    request_id: Annotated[
        str | None,
        typer.Argument(
            metavar="[REQUEST]",
            help="The request's id; by default the last one's.",
            callback=request_id_typed,
        ),
    ] = None,
    output: Annotated[
        Path | None, typer.Option(help="Write the page here instead of among the evidence.")
    ] = None,
    open_: Annotated[bool, typer.Option("--open", help="Open the page in a browser.")] = False,
    json: Json = False,
) -> None:
    """Write the page that explains a deletion to people: the verdict, what was done, how it is known.

    One HTML file that loads nothing from elsewhere. Serving a request already writes it; this writes it again
    from the records. If no model was accepted, it says why.
    """
    from tasks.checkout.checkout import Checkout
    from tasks.checkout.progress import signs_of_life
    from tasks.lifecycle.refusals import require_facts

    with Checkout.open(Path.cwd()) as checkout, signs_of_life("report"):
        require_facts(checkout, request_id or checkout.params.request)
        from flows.report import report_on

        named, page = report_on(checkout, request_id, output)
    place = str(page.resolve())
    Output(json).give({"request": named, "report": place}, lambda: place)
    if open_:
        typer.launch(page.resolve().as_uri())
