"""Which data a model may be unlearned from, given what the champion has forgotten of it."""

from collections.abc import Collection, Iterable

from unlearn_core.records.base import Sha256

Deletion = tuple[Sha256, Sha256]
"""A data set, and what was left of it."""


def sources_of(data: Sha256, deletions: Iterable[Deletion]) -> frozenset[Sha256]:
    """Return a data set, and all that it was retained from.

    Args:
        data: The data set.
        deletions: What was deleted from which data set, in any order.

    Returns:
        Their digests.
    """
    before = {retained: source for source, retained in deletions}
    found: list[Sha256] = [data]
    while (source := before.get(found[-1])) is not None and source not in found:
        found.append(source)
    return frozenset(found)


def would_undo(sources: Collection[Sha256], retained: Sha256, ancestry: Collection[Sha256]) -> bool:
    """Return whether a model on some data would bring back what another has forgotten.

    Args:
        sources: The data set that the other was unlearned from, and all that that was retained from.
        retained: What was left of it.
        ancestry: The data set of the model, and those that it was retained from.

    Returns:
        True if the model starts from the other's data, and not from what was left of it.
    """
    return any(source in ancestry for source in sources) and retained not in ancestry
