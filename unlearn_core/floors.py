"""Distances from the retrained model, view by view, and the floor: those between two retrained models."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from unlearn_core import intervals
from unlearn_core.errors import UsageError
from unlearn_core.metric import Subject
from unlearn_core.observations import Outputs, View
from unlearn_core.records.evaluation import Measurement

_Distance = Callable[[Outputs, Outputs], NDArray[np.float64]]
"""Maps two models' outputs on the same samples to one number per sample, ``[samples]``, at least 0."""


def distances(
    subject: Subject,
    quantity: str,
    distance: _Distance,
    *,
    highest: float,
    views: Sequence[View] | None = None,
) -> tuple[Measurement, ...]:
    """Measure a distance from the retrained model, and its floor if there is a second retrained model.

    Args:
        subject: The outputs of the model, the reference and perhaps the floor.
        quantity: The prefix of the names: ``quantity.{part}.{side}`` and ``quantity.floor.{part}.{side}``.
        distance: Between two models' outputs.
        highest: The largest possible distance.
        views: Where to measure; by default every view on which all models saw the same images.

    Returns:
        The mean distances with Student's t intervals; none without a reference.

    Raises:
        UsageError: If there is no view, one is empty, or the models did not see the same samples.
    """
    if not subject.views:
        raise UsageError("there is no view to compare predictions on; observe both models on at least one")
    if (retrained := subject.retrained()) is None:
        return ()
    where = subject.shared_views() if views is None else list(views)
    found = [*_means(subject, quantity, distance, highest, where)]
    if retrained.reference is not None:
        found += _means(retrained, f"{quantity}.floor", distance, highest, where)
    return tuple(found)


def _means(
    subject: Subject, quantity: str, distance: _Distance, highest: float, views: Sequence[View]
) -> Iterator[Measurement]:
    """Yield the mean distance of every view."""
    for part, side in views:
        apart = distance(*subject.pair(part, side))
        yield intervals.mean(apart, lowest=0.0, highest=highest).named(f"{quantity}.{part}.{side}")
