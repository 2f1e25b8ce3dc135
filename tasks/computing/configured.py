"""The methods as ``params.yaml`` and the parent's architecture configure them."""

from typing import Any

from tasks.checkout.checkout import Checkout
from tasks.checkout.params import require_configured, set_values
from tasks.computing.checkpoints import read_checkpoint_card
from tasks.extensions.catalogues import other_methods
from unlearn_core.method import Method, settled
from unlearn_core.methods import parse_methods
from unlearn_core.presets import with_presets
from unlearn_core.records.tuning import Values


def configured_methods(checkout: Checkout) -> tuple[Method, ...]:
    """Return every method of ``params.yaml``, with open settings filled in for the parent's architecture."""
    return methods_for(checkout, read_checkpoint_card(checkout.parent).architecture.name)


def methods_for(checkout: Checkout, architecture: str) -> tuple[Method, ...]:
    """Return every method of ``params.yaml``, with open settings filled in for an architecture."""
    settings = checkout.params.methods
    return parse_methods(with_presets(settings, architecture), other_methods(settings))


def configured_method(checkout: Checkout, name: str) -> Method:
    """Return one of them.

    Args:
        checkout: The checkout.
        name: The method's name.

    Returns:
        The method; a name that is not configured is refused, as by ``require_configured``.
    """
    require_configured(checkout.params, [name])
    return next(method for method in configured_methods(checkout) if method.name == name)


def write_values(checkout: Checkout, method: Method, values: Values) -> None:
    """Write hyper-parameters into ``params.yaml``; everything else stays, comments too.

    Args:
        checkout: The checkout.
        method: The configured method.
        values: By name; a nested record is written in full, since its defaults may not be the method's.
    """
    given: dict[str, Any] = checkout.params.methods[method.name] or {}
    dumped = settled(method, values).model_dump(mode="json")
    changed = {name.split(".")[0]: dumped[name.split(".")[0]] for name in values}
    set_values(checkout.root, {("methods", method.name): {**given, **changed}})
