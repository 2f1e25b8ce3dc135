"""Where the data was, and where it is now: what the report says of the data itself."""

from dataclasses import dataclass

from tasks.report.numbers import counted
from tasks.report.story import written_time
from unlearn_core.records.purge import PurgeRecord
from unlearn_core.records.report import ReportFacts


@dataclass(frozen=True)
class Erasure:
    """How far the data of a deletion are erased.

    Attributes:
        sentence: That in one sentence, for the top of the page.
        rows: For each store its place, how many objects held something before, how many were erased and
            how many are left, and when.
        is_done: Whether an inventory of absence stands.
    """

    sentence: str
    rows: tuple[tuple[str, str, str, str, str], ...] = ()
    is_done: bool = False


def erasure(facts: ReportFacts, purged: PurgeRecord | None) -> Erasure | None:
    """Return how far the data of a deletion are erased; None if no model was released.

    Args:
        facts: The report's content.
        purged: How far the purge has come, if it was begun.

    Returns:
        A sentence, and a row for each store.
    """
    if facts.released is None:
        return None
    if purged is None:
        return Erasure("Model unlearned, data not yet erased.")
    rows = tuple(
        (one.place, str(one.held), str(one.erased), str(one.left), written_time(one.at))
        for one in purged.erased
    )
    if purged.proved is not None:
        when = written_time(purged.proved)
        return Erasure(f"Model unlearned, data erased: the inventory of {when} found none of it.", rows, True)
    return Erasure(f"Model unlearned, data not yet erased: {_open(purged)}.", rows)


def _open(purged: PurgeRecord) -> str:
    """Say what is still to be done."""
    if purged.finished is None:
        return "the purge was begun and is not finished"
    if purged.previous_until is not None:
        return f"the model before is kept until {written_time(purged.previous_until)}, to go back to"
    stores = counted(len(purged.erased), "store was", "stores were")
    return f"{stores} purged, and no inventory has shown yet that nothing is left"
