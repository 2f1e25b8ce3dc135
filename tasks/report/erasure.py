"""Where the data was, and where it is now: what the report says of the data itself."""

from collections.abc import Iterator
from dataclasses import dataclass

from tasks.report.numbers import counted
from tasks.report.story import written_time
from unlearn_core.records.inventory import Inventory
from unlearn_core.records.purge import PurgeRecord
from unlearn_core.records.report import ReportFacts


@dataclass(frozen=True)
class Erasure:
    """How far the data of a deletion are erased.

    Attributes:
        sentence: That in one sentence, for the top of the page.
        rows: For each store its place, how many objects held something before, how many were erased and
            how many are left, and when.
        is_done: Whether a signed inventory of absence shows it.
    """

    sentence: str
    rows: tuple[tuple[str, str, str, str, str], ...] = ()
    is_done: bool = False


def erasure(
    facts: ReportFacts, purged: PurgeRecord | None, shown: Inventory | str | None = None
) -> Erasure | None:
    """Return how far the data of a deletion are erased; None if no model was released.

    Args:
        facts: The report's content.
        purged: How far the purge has come, if it was begun, by a record that anybody can write.
        shown: If the record says that an inventory stands: that, verified, or why there is none.

    Returns:
        A sentence, and a row for each store.
    """
    if facts.released is None:
        return None
    if purged is None:
        return Erasure("Model unlearned, data not yet erased.")
    if isinstance(shown, Inventory):
        when = written_time(shown.finished)
        words = f"Model unlearned, data erased: the inventory of {when} found none of it."
        return Erasure(words, tuple(_searched(shown)), is_done=True)
    rows = tuple(
        (one.place, str(one.held), str(one.erased), str(one.left), written_time(one.at))
        for one in purged.erased
    )
    if purged.proved is not None:
        return Erasure(f"Model unlearned, data not yet erased as far as can be shown: {shown}.", rows)
    return Erasure(f"Model unlearned, data not yet erased: {_open(purged)}.", rows)


def _searched(inventory: Inventory) -> Iterator[tuple[str, str, str, str, str]]:
    """Yield what an inventory says of each store in which there was something."""
    for one in inventory.stores:
        if one.held or one.erased or one.remaining:
            when = "" if one.erased_at is None else written_time(one.erased_at)
            yield one.place, str(one.held), str(one.erased), str(one.remaining), when


def _open(purged: PurgeRecord) -> str:
    """Say what is still to be done."""
    if purged.finished is None:
        return "the purge was begun and is not finished"
    if purged.previous_until is not None:
        return f"the model before is kept until {written_time(purged.previous_until)}, to go back to"
    stores = counted(len(purged.erased), "store was", "stores were")
    return f"{stores} purged, and no inventory has shown yet that nothing is left"
