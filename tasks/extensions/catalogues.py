"""Other packages' methods and metrics, and Lethe's: loaded by name, listed, or found by module and class."""

import importlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from tasks.extensions.discovery import OWN, Flaws, Offer, asked, clash, load_asked, offers
from unlearn_core import methods, metrics
from unlearn_core.adversaries.names import refuse_adversaries
from unlearn_core.catalogue import flaws, name_of
from unlearn_core.errors import ConfigurationError
from unlearn_core.method import Method
from unlearn_core.metric import Metric

Kind = Literal["method", "metric"]

METHODS = {name_of(kind): kind for kind in methods.CATALOGUE}
METRICS = {name_of(kind): kind for kind in metrics.CATALOGUE}
OWN_KINDS: dict[Kind, dict[str, Any]] = {"method": METHODS, "metric": METRICS}
"""Lethe's methods and metrics, by name."""

FLAWS: dict[Kind, Flaws] = {
    "method": partial(flaws, base=Method, verb="apply"),
    "metric": partial(flaws, base=Metric, verb="measure"),
}


def other_methods(names: Iterable[str]) -> tuple[type[Method], ...]:
    """Load the methods among some names that are not Lethe's; one that cannot be loaded is an error."""
    names = tuple(names)
    refuse_adversaries(names)
    return load_asked("method", names, own=METHODS, flaws=FLAWS["method"])


def other_metrics(names: Iterable[str]) -> tuple[type[Metric], ...]:
    """Load the metrics among some names that are not Lethe's; one that cannot be loaded is an error."""
    return load_asked("metric", names, own=METRICS, flaws=FLAWS["metric"])


@dataclass(frozen=True)
class Listed:
    """All available methods or metrics.

    Attributes:
        kinds: Each class, and who offers it; None for Lethe's.
        problems: What is offered but cannot be used, one message each.
    """

    kinds: tuple[tuple[Any, Offer | None], ...]
    problems: tuple[str, ...]


def list_all(kind: Kind) -> Listed:
    """List Lethe's methods or metrics and those of other packages; a broken one affects no other."""
    own, found = OWN_KINDS[kind], offers(kind)
    counts = Counter([*own, *(offer.name for offer in found)])
    kinds: list[tuple[Any, Offer | None]] = [(one, None) for one in own.values()]
    problems = dict[str, None]()
    for offer in found:
        if counts[offer.name] > 1:
            others = [str(one) for one in found if one.name == offer.name]
            problems[clash(kind, offer.name, [*([OWN] if offer.name in own else []), *others])] = None
            continue
        try:
            kinds.append((offer.load(FLAWS[kind]), offer))
        except ConfigurationError as error:
            problems[str(error)] = None
    return Listed(tuple(kinds), tuple(problems))


def find_class(kind: Kind, target: str) -> object:
    """Find the class that a person wants checked, whatever is wrong with it.

    Args:
        kind: What it should be.
        target: The name of a method or a metric, or ``module:Class``.

    Returns:
        What was found.

    Raises:
        ConfigurationError: If there is no such name, or it cannot be imported.
    """
    if ":" not in target:
        found = asked(kind, [target], own=OWN_KINDS[kind])
        return found[0].load(lambda _: []) if found else OWN_KINDS[kind][target]
    module, _, attribute = target.partition(":")
    try:
        return getattr(importlib.import_module(module), attribute)
    except Exception as error:  # whatever somebody else's code raises
        raise ConfigurationError(f"{target} cannot be imported: {type(error).__name__}: {error}") from error
