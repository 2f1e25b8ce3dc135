"""Canaries: training rows with a wrong label, a random half of which is trained on.

Both halves are drawn and mislabelled in the same way, so a model that never saw the planted half, or has
truly forgotten it, can tell the two apart only by luck. No retrained model is needed for that.
"""

import numpy as np
from numpy.typing import NDArray

from unlearn_core.errors import ConfigurationError
from unlearn_core.records.data import CANARY_SPLIT

CANARY_SUBJECT = "subject-canary"
"""The subject that the planted rows belong to."""


def plant(
    labels: NDArray[np.int64],
    splits: NDArray[np.object_],
    subjects: NDArray[np.object_],
    *,
    count: int,
    among: NDArray[np.int64],
    classes: int,
    random: np.random.Generator,
) -> None:
    """Plant canaries and hold out as many others, in place.

    Args:
        labels: ``[rows]``; those of both halves become wrong.
        splits: ``[rows]``; the half that is held out leaves the training rows for ``CANARY_SPLIT``.
        subjects: ``[rows]``; the planted half goes to ``CANARY_SUBJECT``, the other to nobody.
        count: How many rows each half has.
        among: ``[candidates]``, the training rows to draw from.
        classes: How many classes there are.
        random: Where the draw's randomness comes from.

    Raises:
        ConfigurationError: If there are fewer than ``2 * count`` rows to draw from.
    """
    if 2 * count > len(among):
        raise ConfigurationError(
            f"{count} canaries, and as many held out, do not fit into {len(among)} training rows; "
            f"plant {len(among) // 2} at most"
        )
    planted = random.choice(among, count, replace=False)
    labels[planted] = _wrong(labels[planted], classes, random)
    held_out = random.choice(np.setdiff1d(among, planted), count, replace=False)
    labels[held_out] = _wrong(labels[held_out], classes, random)
    subjects[planted], subjects[held_out] = CANARY_SUBJECT, ""
    splits[held_out] = CANARY_SPLIT


def _wrong(labels: NDArray[np.int64], classes: int, random: np.random.Generator) -> NDArray[np.int64]:
    """Return a random other class for each label, all equally likely."""
    return (labels + random.integers(1, classes, len(labels))) % classes
