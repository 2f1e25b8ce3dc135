"""Which data sets held some rows, and which models learned from them, by their cards alone."""

from collections.abc import Collection, Iterable, Mapping

from unlearn_core.records.artifact import CheckpointCard
from unlearn_core.records.base import Sha256
from unlearn_core.records.data import DatasetCard
from unlearn_core.records.traces import Knows, TracedModel

FROM_FRESH_WEIGHTS = ("train", "retrain")
"""What a card calls a model that was trained from fresh weights."""


def data_that_held(holding: Collection[Sha256], cards: Iterable[DatasetCard]) -> frozenset[Sha256]:
    """Return the data sets that held some rows: those that do, and all that they were retained from.

    Args:
        holding: The digests of the data sets in which the rows were seen.
        cards: The cards of all data sets at hand.

    Returns:
        Their digests; a data set that was retained from another holds a part of it, so the other held them.
    """
    before = (one for card in cards if card.rows_digest in holding for one in card.lineage)
    return frozenset((*holding, *before))


def models_that_learned(
    data: Collection[Sha256],
    cards: Mapping[Sha256, CheckpointCard],
    *,
    free: Collection[Sha256],
    start: Collection[Sha256] = (),
) -> tuple[TracedModel, ...]:
    """Return the models that learned from some data, may have, or were made from one that did.

    Args:
        data: The digests of the data sets.
        cards: The cards of all models at hand, by the digest of their weights.
        free: The digests of the data sets that are known not to hold the rows.
        start: Models that are known to have learned from it, whatever their cards say.

    Returns:
        Those that learned first; each part in the order of the digests.
    """
    learned = {weights for weights, card in cards.items() if card.data in data} | ({*start} & {*cards})
    made = {weights for weights in cards if weights not in learned and _ancestors(weights, cards) & learned}
    known = {*data, *free}
    other = {weights for weights, card in cards.items() if card.data not in known} - learned - made
    groups: dict[Knows, set[Sha256]] = {"learned": learned, "made_from": made, "uncertain": other}
    return tuple(
        TracedModel(weights=one, method=cards[one].method, data=cards[one].data, knows=knows)
        for knows, models in groups.items()
        for one in sorted(models)
    )


def _ancestors(weights: Sha256, cards: Mapping[Sha256, CheckpointCard]) -> set[Sha256]:
    """Return all models that a model was made from, as far as cards are at hand.

    A model that was trained from fresh weights has none, whatever it was to replace.
    """
    found, current = set[Sha256](), weights
    while current in cards and cards[current].method not in FROM_FRESH_WEIGHTS:
        parent = cards[current].parent
        if parent is None or parent in found:
            break
        found.add(parent)
        current = parent
    return found
