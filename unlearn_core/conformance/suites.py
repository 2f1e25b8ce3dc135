"""All checks of a method or of a metric, one after the other."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast

from unlearn_core.catalogue import flaws
from unlearn_core.conformance import metrics
from unlearn_core.conformance.case import Case
from unlearn_core.conformance.checking import Checked, made, not_made, reasons_of
from unlearn_core.conformance.methods import OF_KIND, SCOPES, checks_in
from unlearn_core.method import Method
from unlearn_core.metric import Metric


def check_method(
    kind: object, *, settings: Mapping[str, Any] | None = None, forget_below: float = 0.05
) -> Iterator[Checked]:
    """Make every check on a method's class.

    Args:
        kind: The class.
        settings: Hyper-parameters for the small net that it is run on; the defaults otherwise.
        forget_below: What the accuracy on a forgotten class must fall below.

    Yields:
        The result of each. Checks after a failure that leaves nothing to check were not made.
    """
    wrong = flaws(kind, Method, verb="apply")
    yield Checked("is a method", "", tuple(wrong))
    if wrong:
        yield from not_made(OF_KIND)
        return
    method = cast(type[Method], kind)
    yield from made(OF_KIND, method)
    for scope in SCOPES:
        if scope in method.scopes:
            case = Case(method, scope, settings or {}, forget_below)
            ran = Checked("runs", scope, reasons_of(_run, case))
            yield ran
            checks = checks_in(scope)
            yield from not_made(checks, scope) if ran.reasons else made(checks, case, scope)


def _run(case: Case) -> Iterator[str]:
    """Run a method for all checks: what it raises is the only reason against it."""
    case.outcome()
    yield from ()


def check_metric(kind: object) -> Iterator[Checked]:
    """Make every check on a metric's class.

    Args:
        kind: The class; its settings stay at their defaults.

    Yields:
        The result of each; for what is not a metric, that alone.
    """
    wrong = flaws(kind, Metric, verb="measure")
    yield Checked("is a metric", "", tuple(wrong))
    if wrong:
        yield from not_made(metrics.CHECKS)
    else:
        yield from made(metrics.CHECKS, cast(Callable[[], Metric], kind)())
