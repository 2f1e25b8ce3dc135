"""Planting canaries: ``params.yaml`` asks for them, if they can still be trained on."""

import math
from dataclasses import dataclass
from typing import Any

from tasks.checkout.checkout import Checkout
from tasks.checkout.params import set_values
from tasks.data.source import Dealt
from tasks.data.sources import source_of
from unlearn_core.canaries import CANARY_SUBJECT
from unlearn_core.errors import ConfigurationError
from unlearn_core.records.base import canonical_json
from unlearn_core.records.params import DealtSource

TOO_LATE = {
    "adopted": "the parent was trained elsewhere",
    "champion": "the parent is the model of an earlier deletion",
    "train": "the data set is what an earlier deletion retained",
}
"""Why canaries cannot be planted, by the parent's source."""


@dataclass(frozen=True)
class Planted:
    """What ``params.yaml`` asks for now.

    Attributes:
        records: How many canaries are trained on.
        held_out: How many are not.
        subject: The subject of those trained on.
        seed: The seed of the data set, and so of the draw.
        lowest: The least ``canary.auc``, 19 times out of 20, of a model that never saw any of them.
        highest: The greatest.
    """

    records: int
    held_out: int
    subject: str
    seed: int
    lowest: float
    highest: float


def plant_canaries(checkout: Checkout, *, records: int, seed: int | None) -> Planted:
    """Ask for canaries in ``params.yaml``; the next training plants them.

    Args:
        checkout: The checkout.
        records: How many to train on; as many are held out.
        seed: The data set's new seed, or None to keep its seed.

    Returns:
        What was asked for.

    Raises:
        ConfigurationError: If the parent is not trained here, the data set is a retained one, it already has
            canaries, or they do not fit; nothing is changed.
    """
    before, source = _plantable(checkout)
    given = {"canaries": records} if seed is None else {"canaries": records, "seed": seed}
    after = type(before).parse(canonical_json({**before.model_dump(mode="json"), **given}))
    # Listed only as a check: what does not fit is refused before anything is written.
    source.rows(checkout.root, after)
    set_values(checkout.root, {("dataset", name): value for name, value in given.items()})
    # The standard deviation of the Mann-Whitney statistic, as an AUC.
    reach = 1.96 * math.sqrt((2 * records + 1) / 12) / records
    return Planted(records, records, CANARY_SUBJECT, after.seed, max(0.0, 0.5 - reach), min(1.0, 0.5 + reach))


def _plantable(checkout: Checkout) -> tuple[DealtSource, Dealt[Any]]:
    """Return the settings and the source of the data set, if canaries can still be planted in it."""
    dataset, parent = checkout.params.dataset, checkout.params.parent.source
    source = source_of(dataset)
    if not isinstance(source, Dealt) or not isinstance(dataset, DealtSource) or parent != "train":
        raise ConfigurationError(
            f"canaries are planted before training, and {TOO_LATE[parent]}; name a source of data and "
            "`parent: {source: train}` in params.yaml, or plant them in a clone that trains its own model"
        )
    if dataset.canaries:
        raise ConfigurationError(
            f"{dataset.canaries} canaries are already planted; to remove them, set dataset.canaries to 0 in "
            "params.yaml and train again"
        )
    return dataset, source
