"""``lethe check-metric``: whether a metric passes the checks that Lethe's own metrics pass."""

import sys
from typing import Annotated

import typer

from flows.cli.checks_table import find_typed, give_checks
from flows.cli.options import Json
from flows.cli.output import Output

_Target = Annotated[
    str, typer.Argument(metavar="METRIC", help="The name of a metric, or `package.module:Class`.")
]


def command(metric: _Target, json: Json = False) -> None:
    """Check your own metric, or a package's, as far as possible without knowing what it should measure.

    It measures untrained models. Exit code 0 means that it passes every check, 3 that it fails some: each
    reason is printed. That its numbers are right is for its own tests. `docs/extending.md` shows how to write
    one.
    """
    from tasks.checkout.progress import signs_of_life

    with signs_of_life(f"check {metric}"):
        kind = find_typed("metric", metric)
        from unlearn_core.conformance import check_metric
        from unlearn_core.conformance.metrics import CHECKS

        failed = give_checks(Output(json), metric, check_metric(kind), len(CHECKS) + 1)
    sys.exit(failed)
