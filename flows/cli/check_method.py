"""``lethe check-method``: whether a method passes the checks that Lethe's own methods pass."""

import sys
from typing import Annotated

import typer

from flows.cli.checks_table import find_typed, give_checks, read_settings
from flows.cli.options import Json
from flows.cli.output import Output

Target = Annotated[
    str, typer.Argument(metavar="METHOD", help="The name of a method, or `package.module:Class`.")
]


def command(
    method: Target,
    settings: Annotated[
        str | None, typer.Option(help="Hyper-parameters as JSON; step sizes belong to the net.")
    ] = None,
    forget_below: Annotated[
        float,
        typer.Option(
            "--forget-below",
            help="The accuracy on the forgotten class must fall below this; 1.1 for a method that is only a "
            "baseline for others.",
        ),
    ] = 0.05,
    json: Json = False,
) -> None:
    """Check your own method, or a package's: the same checks that Lethe's own methods must pass.

    It is run several times on a small net, in each scope that it supports. Exit code 0 means that it passes
    every check, 3 that it fails some: each reason is printed. `docs/extending.md` shows how to write one.
    """
    from tasks.checkout.progress import signs_of_life

    given = read_settings(settings)
    with signs_of_life(f"check {method}"):
        kind = find_typed("method", method)
        from unlearn_core.conformance import check_method
        from unlearn_core.conformance.methods import MOST_CHECKS

        checks = check_method(kind, settings=given, forget_below=forget_below)
        failed = give_checks(Output(json), method, checks, MOST_CHECKS)
    sys.exit(failed)
