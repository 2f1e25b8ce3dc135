"""The command ``lethe canary``, and what it prints."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flows.cli.options import Json
from flows.cli.output import Output

if TYPE_CHECKING:
    from tasks.data.planting import Planted

app = typer.Typer(help="Records planted before training, to test deletions on.", no_args_is_help=True)


@app.command()
def plant(
    *,
    records: Annotated[
        int, typer.Option(min=1, help="How many to train on; as many again are held out. 40 show a lot.")
    ],
    seed: Annotated[
        int | None,
        typer.Option(min=0, help="The data set's seed; a new one also changes its splits."),
    ] = None,
    json: Json = False,
) -> None:
    """Plant canaries: training records that test a deletion without any retrained model.

    Twice as many training rows are drawn and given a wrong label, which a net can only memorise. A random
    half is trained on, as `subject-canary`; the other is held out. A model that forgot the first half cannot
    tell it from the second: `canary.auc` is about 0.5. For one that remembers it is near 1.

    Only `params.yaml` is changed. Then `lethe train` trains with them, and the drill is
    `lethe delete drill-1 --subject subject-canary`. Every wrong label costs the model a little, so plant
    few. `dataset.canaries: 0` removes them again.
    """
    from dataclasses import asdict

    from tasks.checkout.checkout import Checkout
    from tasks.data.planting import plant_canaries

    with Checkout.open(Path.cwd()) as checkout:
        planted = plant_canaries(checkout, records=records, seed=seed)
    Output(json).give(asdict(planted), lambda: tell_planted(planted))


def tell_planted(planted: "Planted") -> str:
    """Return what the user should know, and do next."""
    return (
        f"planted  {planted.records} records with wrong labels, of {planted.subject}; "
        f"{planted.held_out} more are held out\n"
        "written  params.yaml (dataset); the present model has not seen them\n"
        "next     lethe train                (`dvc repro` also serves the request of params.yaml)\n"
        f"drill    lethe delete drill-1 --subject {planted.subject}\n"
        "read     canary.auc of the original (near 1: remembered) and of the accepted model; without\n"
        f"         memory it is from {planted.lowest:.2f} to {planted.highest:.2f}, 19 times out of 20"
    )
