"""Which data a model may be unlearned from, given what the champion has forgotten of it."""

from collections.abc import Collection

from unlearn_core.records.base import Sha256


def would_undo(data: Sha256 | None, retained: Sha256 | None, ancestry: Collection[Sha256]) -> bool:
    """Return whether serving a request would bring back what the champion has forgotten.

    Args:
        data: The data set that the champion was unlearned from; None if it has forgotten nothing.
        retained: What was left of that data set.
        ancestry: The data set of the request, and those that it was retained from.

    Returns:
        True if the request starts from the champion's data, and not from what was left of it.
    """
    return data in ancestry and retained not in ancestry
