"""Nets whose code is a user's own: building one runs a module that only a name refers to."""

from collections.abc import Collection

from unlearn_core.errors import ConfigurationError


def is_factory(net: str) -> bool:
    """Tell whether a net's name is ``module:factory``, and not one of Lethe's or torchvision's."""
    source, _, name = net.partition(":")
    return bool(name) and source != "torchvision"


def module_of(net: str) -> str:
    """Return the module of a net ``module:factory``."""
    return net.partition(":")[0]


def require_allowed(net: str, allowed: Collection[str]) -> None:
    """Refuse a net whose code would be run only because a card names it.

    Args:
        net: The net's name, as a card has it.
        allowed: The factories that the operator has named.

    Raises:
        ConfigurationError: If it is a factory and not among them.
    """
    if is_factory(net) and net not in allowed:
        raise ConfigurationError(
            f"the model's card names the net {net!r}, whose module would be run to build it; nothing was "
            "run. If you trust its code, name the net yourself: in the setting LETHE_FACTORIES, in the "
            "project's parent.architecture, or with --architecture"
        )
