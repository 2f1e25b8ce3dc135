"""What a few retrained models say about all possible ones: Student's t around their mean, Holm's correction.

A candidate is one model, measured on samples that were fixed before the run: its value has no error. The
centre of the band has one: it is the mean over all models that could have been retrained, estimated from a
few.
"""

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from unlearn_core.audit.evidence import LEAST_REFERENCES

_Claim = TypeVar("_Claim", bound=Hashable)


@dataclass(frozen=True)
class Centre:
    """The mean of some retrained models' values.

    Attributes:
        value: The mean.
        error: Its standard error; 0 where the models are too few to tell their spread.
        freedom: The degrees of freedom of that error.
    """

    value: float
    error: float
    freedom: int

    def reach(self, alpha: float) -> float:
        """Return the half-width of the ``1 − 2 alpha`` interval around the mean."""
        return float(_student().stdtrit(self.freedom, 1 - alpha)) * self.error if self.error else 0.0

    def p_value(self, excess: float) -> float:
        """Return how likely such an excess over a bound at a fixed distance from the mean is by chance.

        Args:
            excess: How far a value lies beyond the bound.

        Returns:
            The one-sided p-value; without an error, the excess is taken as it is.
        """
        if not self.error:
            return 0.0 if excess > 0 else 1.0
        return float(_student().stdtr(self.freedom, -excess / self.error))


def _student() -> Any:
    """Return scipy's Student distribution; only where there is an error, since loading it takes a while."""
    from scipy import special  # pyright: ignore[reportMissingTypeStubs]

    return special


def centre(values: Sequence[float]) -> Centre:
    """Estimate the mean of all retrained models from a few.

    Args:
        values: Of each retrained model, at least one; all finite.

    Returns:
        The mean, with its error; with fewer than five models the error is 0.
    """
    count, mean = len(values), math.fsum(values) / len(values)
    # Equal values have no spread, whatever their mean was rounded to.
    if count < LEAST_REFERENCES or min(values) == max(values):
        return Centre(mean, 0.0, count - 1)
    variance = math.fsum((value - mean) ** 2 for value in values) / (count - 1)
    return Centre(mean, math.sqrt(variance / count), count - 1)


def holm(p_values: Mapping[_Claim, float], alpha: float) -> frozenset[_Claim]:
    """Return the claims that hold together (Holm 1979): the chance of a false one among them is ``alpha``.

    Args:
        p_values: The p-value of every claim that might have been made.
        alpha: The chance that is accepted.

    Returns:
        The claims that are shown.
    """
    shown: list[_Claim] = []
    ascending = sorted(p_values, key=lambda claim: p_values[claim])
    for rank, claim in enumerate(ascending):
        if p_values[claim] > alpha / (len(ascending) - rank):
            break
        shown.append(claim)
    return frozenset(shown)
