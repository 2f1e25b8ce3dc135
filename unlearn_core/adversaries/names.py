"""The names of the adversaries, which no ladder and no ``params.yaml`` may use."""

from collections.abc import Iterable

from unlearn_core.errors import ConfigurationError

NAMES = frozenset(
    {
        "suppression",
        "bias_shift",
        "mixing",
        "head_distillation",
        "neighbour_shuffling",
        "recognition",
        "long_ascent",
    }
)


def refuse_adversaries(names: Iterable[str]) -> None:
    """Refuse adversaries where methods are named.

    Args:
        names: What is named.

    Raises:
        ConfigurationError: If an adversary is among them.
    """
    if found := sorted(NAMES.intersection(names)):
        raise ConfigurationError(
            f"{', '.join(found)} only pretends to forget: it is an adversary to test the gate with, and no "
            "method. Name one of `lethe methods`; `lethe benchmark --adversaries` runs the adversaries"
        )
