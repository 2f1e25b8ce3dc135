"""Which methods can serve a request, in which order, and why the others cannot."""

from dataclasses import dataclass

from unlearn_core.adversaries.names import refuse_adversaries
from unlearn_core.errors import ConfigurationError
from unlearn_core.kinds import ScopeKind
from unlearn_core.method import Method, Need
from unlearn_core.own_names import LAST_RESORT
from unlearn_core.records.deletion import LeftOut

UNKNOWN = {
    Need.ORIGIN: "the recipe that the model was trained by",
    Need.STATES: "states kept while the model was trained (`parent: {keep: ...}`)",
}
"""What a need is called where its name alone would not say what is missing."""


@dataclass(frozen=True)
class Route:
    """The methods to try, in order, and the ones left out."""

    methods: tuple[Method, ...]
    left_out: tuple[LeftOut, ...]


def route(
    ladder: tuple[str, ...], methods: tuple[Method, ...], *, scope: ScopeKind, available: frozenset[Need]
) -> Route:
    """Order the methods by a ladder and leave out those that cannot serve the request.

    Args:
        ladder: Method names, first choice first; retraining closes it whether named or not.
        methods: The configured methods.
        scope: What is to be forgotten.
        available: Which materials are available.

    Returns:
        The route.

    Raises:
        ConfigurationError: If the ladder names a method that is not configured, or an adversary.
    """
    refuse_adversaries(ladder)
    by_name = {method.name: method for method in methods}
    wanted = tuple(dict.fromkeys((*(name for name in ladder if name != LAST_RESORT), LAST_RESORT)))
    if unknown := sorted(set(wanted) - set(by_name)):
        raise ConfigurationError(
            f"the ladder names {', '.join(unknown)}; configured are {', '.join(by_name)}"
        )
    reasons = {name: obstacle(by_name[name], scope=scope, available=available) for name in wanted}
    off_ladder = [
        LeftOut(method=name, why="not on the policy's ladder") for name in by_name if name not in wanted
    ]
    return Route(
        methods=tuple(by_name[name] for name, why in reasons.items() if why is None),
        left_out=(
            *(LeftOut(method=n, why=why) for n, why in reasons.items() if why is not None),
            *off_ladder,
        ),
    )


def only_last_resort(planned: Route, why: str) -> Route:
    """Return a route of retraining alone, leaving the other methods out for one reason."""
    kept = tuple(method for method in planned.methods if method.name == LAST_RESORT)
    dropped = (LeftOut(method=m.name, why=why) for m in planned.methods if m.name != LAST_RESORT)
    return Route(methods=kept, left_out=(*planned.left_out, *dropped))


def obstacle(method: Method, *, scope: ScopeKind, available: frozenset[Need]) -> str | None:
    """Return why a method cannot serve a request, or None if it can."""
    if scope not in method.scopes:
        return f"forgets {' and '.join(sorted(method.scopes))}, not {scope}"
    if missing := method.needs - available:
        return f"needs {', '.join(UNKNOWN.get(need, need) for need in sorted(missing))}, which is not at hand"
    return None
