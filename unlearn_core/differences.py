"""How far two models' predictions are apart, sample by sample: two arrays of probabilities in, one out.

Every function takes ``[samples, classes]`` twice, rows summing to one, and returns ``[samples]``.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.special import rel_entr

Probabilities = NDArray[np.float64]


def jensen_shannon(mine: Probabilities, theirs: Probabilities) -> NDArray[np.float64]:
    """Return the Jensen–Shannon divergence in bits: 0 for the same distribution, 1 for disjoint ones."""
    middle = (mine + theirs) / 2
    nats = (rel_entr(mine, middle) + rel_entr(theirs, middle)).sum(1) / 2
    # Rounding may give a value just below zero or above one bit.
    return np.clip(nats / np.log(2), 0.0, 1.0)


def euclidean(mine: Probabilities, theirs: Probabilities) -> NDArray[np.float64]:
    """Return the Euclidean distance, from 0 to √2."""
    return np.sqrt(np.square(mine - theirs).sum(1))


def total_variation(mine: Probabilities, theirs: Probabilities) -> NDArray[np.float64]:
    """Return the total-variation distance, half the summed absolute differences, from 0 to 1."""
    return np.abs(mine - theirs).sum(1) / 2
