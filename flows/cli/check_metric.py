"""``lethe check-metric``: whether a metric keeps to what Lethe's own metrics keep to."""

import sys
from typing import Annotated

import typer

from flows.cli.checks_table import give_checks
from flows.cli.options import Json
from flows.cli.output import Output

_Target = Annotated[
    str, typer.Argument(metavar="METRIC", help="The name of a metric, or `package.module:Class`.")
]


def command(metric: _Target, json: Json = False) -> None:
    """Check a metric of your own, or of a package: the checks that need not know what it should measure.

    It measures models that nobody trained. Exit code 0 means that it keeps to every check, 3 that it fails
    some: each reason is printed. That its numbers are right is for tests of its own. `docs/extending.md`
    tells how to write one.
    """
    from tasks.extensions.catalogues import find_class
    from unlearn_core.conformance import check_metric
    from unlearn_core.conformance.metrics import CHECKS

    checks = check_metric(find_class("metric", metric))
    sys.exit(give_checks(Output(json), metric, checks, len(CHECKS) + 1))
