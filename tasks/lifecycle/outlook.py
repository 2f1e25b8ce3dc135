"""What deletions on an adopted model can and cannot get, told before anything is done."""

from typing import get_args

from tasks.checkout.checkout import Checkout
from tasks.computing.configured import methods_for
from unlearn_core.audit.evidence import LEVELS, level
from unlearn_core.kinds import ScopeKind
from unlearn_core.method import Method, Need
from unlearn_core.own_names import LAST_RESORT
from unlearn_core.records.adoption import Outlook
from unlearn_core.records.artifact import Recipe
from unlearn_core.routing import obstacle

_NAMES: dict[ScopeKind, str] = {"classes": "a class", "samples": "images, a person"}
_WIDTH = 17
_WITHOUT = (
    ("no recipe", "the model cannot be retrained. Methods that need that are left out; a request that no"),
    ("", "other serves, or that the drift budget leaves to retraining, is refused."),
    ("", "`--recipe recipe.yaml` changes all of this. Its fields, with their defaults:"),
)


def outlook(checkout: Checkout, architecture: str, recipe: Recipe | None) -> Outlook:
    """Say what a model can get.

    Args:
        checkout: The checkout; its policy says what is tried.
        architecture: The net.
        recipe: How it was trained, or None if that is not known.

    Returns:
        The methods that can serve each kind of request, and the level of evidence.
    """
    policy, methods = checkout.params.policy, methods_for(checkout, architecture)
    at_hand = frozenset(Need) - {Need.STATES} - ({Need.ORIGIN} if recipe is None else set())
    retrained = policy.references if recipe is not None and policy.retrained != "none" else 0
    return Outlook(
        classes=_fit(methods, policy.ladder.classes, "classes", at_hand),
        samples=_fit(methods, policy.ladder.samples, "samples", at_hand),
        level=level(retrained, policy.shadows if retrained else 0),
    )


def _fit(
    methods: tuple[Method, ...], ladder: tuple[str, ...], scope: ScopeKind, at_hand: frozenset[Need]
) -> tuple[str, ...]:
    """Return the names of a ladder's methods that can serve a request of some scope."""
    by_name = {method.name: method for method in methods}
    rungs = [by_name[name] for name in dict.fromkeys((*ladder, LAST_RESORT)) if name in by_name]
    return tuple(one.name for one in rungs if obstacle(one, scope=scope, available=at_hand) is None)


def outlook_lines(found: Outlook, recipe: Recipe | None) -> list[str]:
    """Return it for people; without a recipe, what else it costs, and the fields of one."""
    kinds: dict[ScopeKind, tuple[str, ...]] = {"classes": found.classes, "samples": found.samples}
    lines = ["what deletions on this model can get:"]
    for kind, names in kinds.items():
        said = ", ".join(names) or "no method: every such request will be refused"
        lines.append(_row(f"{_NAMES[kind]}", said))
    lines.append(_row("evidence", f"{found.level}, {LEVELS[found.level]}"))
    if recipe is None:
        lines += [_row(*said) for said in _WITHOUT]
        lines += [_row("", f"  {line}") for line in recipe_fields()]
    return lines


def recipe_fields() -> list[str]:
    """Return the fields of a recipe as YAML, with what else each may be."""
    lines = []
    for name, field in Recipe.model_fields.items():
        others = [str(one) for one in get_args(field.annotation) if one != field.default]
        lines.append(f"{name}: {field.default}" + (f"  # or {', '.join(others)}" if others else ""))
    return lines


def _row(what: str, said: str) -> str:
    return f"  {what:<{_WIDTH}}{said}"
