"""Bootstrap intervals, for statistics of two kinds of scores that have no formula."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from unlearn_core.errors import UsageError
from unlearn_core.intervals import CONFIDENCE, Estimate

_Scores = NDArray[np.float64]
Statistic = Callable[[_Scores, _Scores], float]
"""Maps scores of members and of others to one number."""


def bootstrap(
    statistic: Statistic, members: _Scores, others: _Scores, *, resamples: int, seed: int
) -> Estimate:
    """Put a 95 % percentile interval around a statistic (Efron 1979), resampling each kind separately.

    Args:
        statistic: What is estimated.
        members: ``[members]``.
        others: ``[others]``.
        resamples: How often to draw.
        seed: For the draws.

    Returns:
        The statistic of the given scores; its interval is widened to contain it.

    Raises:
        UsageError: If a kind has no score, or a score is not finite.
    """
    if not len(members) or not len(others) or not np.isfinite(np.concatenate([members, others])).all():
        raise UsageError("a bootstrap needs finite scores of both kinds, at least one of each")
    rng = np.random.default_rng(seed)
    value = statistic(members, others)
    # Sorted first, so that the draws do not depend on the order of the scores.
    kinds = [np.sort(members), np.sort(others)]
    drawn = [statistic(*(rng.choice(scores, len(scores)) for scores in kinds)) for _ in range(resamples)]
    low, high = np.quantile(drawn, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return Estimate(value, min(float(low), value), max(float(high), value), min(len(members), len(others)))
