"""``lethe tombstone``: what keeps forgotten pictures out, and what a person decides about it."""

from pathlib import Path
from typing import Annotated

import typer

from flows.cli.options import Json, Names, RequestArgument
from flows.cli.output import Output

app = typer.Typer(help="What keeps forgotten pictures out of later data.", no_args_is_help=True)


@app.command(name="list")
def list_tombstones(json: Json = False) -> None:
    """List the deletions whose pictures are kept out, with how many they are and until when."""
    from tasks.checkout.checkout import Checkout
    from tasks.data.tombstones import current_tombstones

    with Checkout.open(Path.cwd()) as checkout:
        held = current_tombstones(checkout)
    values = [
        {"request": one.request, "pictures": len(one.marks), "made": one.made, "expires": one.expires}
        for one in held
    ]
    lines = [
        f"{one.request}  {len(one.marks)} picture(s), since {one.made}, until {one.expires or 'lifted'}"
        for one in held
    ]
    Output(json).give(values, lambda: "\n".join(lines) or "nothing was forgotten here that is kept out")


@app.command(name="keep")
def keep_alike(
    samples: Annotated[
        Names,
        typer.Option("--sample", help="This is another picture than the one it looks like. Repeatable."),
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="So are all of the last table that only look alike.")
    ] = False,
    json: Json = False,
) -> None:
    """Decide that pictures only look like forgotten ones, and may stay or come in.

    When data come in, or a person is forgotten, pictures that look like forgotten ones are listed in
    `.lethe/pictures-found.csv`, and nothing goes on until each is removed or decided about. The decision is
    about the picture's pixels, whatever it is called, and is kept with who made it and when.
    """
    from tasks.checkout.checkout import Checkout
    from tasks.data.alike import keep_pictures

    with Checkout.open(Path.cwd()) as checkout:
        count = keep_pictures(checkout, samples or (), everything=everything)
    Output(json).give(
        {"kept": count}, lambda: f"kept         {count} picture(s), as others than forgotten ones"
    )


@app.command()
def lift(request_id: RequestArgument, json: Json = False) -> None:
    """Remove the tombstones of a request, or of a group: what it had forgotten may come back.

    For a person who takes a request back, or a drill. The certificate and the model stay as they are.
    """
    from tasks.checkout.checkout import Checkout
    from tasks.data.tombstones import remove_tombstones

    with Checkout.open(Path.cwd()) as checkout:
        remove_tombstones(checkout, request_id)
    Output(json).give({"lifted": request_id}, lambda: f"lifted       the tombstones of request {request_id}")
