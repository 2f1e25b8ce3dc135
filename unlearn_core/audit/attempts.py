"""Which methods a deletion tried, and which one was accepted."""

from unlearn_core.records.certificate import Attempt
from unlearn_core.records.deletion import DeletionRecord, Rung


def accepted_rung(deletion: DeletionRecord) -> Rung:
    """Return the accepted rung; a pinned record has one."""
    rung = deletion.accepted
    assert rung is not None, "the previous stage pins nothing without an accepted model"
    return rung


def attempts_of(deletion: DeletionRecord) -> tuple[Attempt, ...]:
    """Return every method that was tried, in the order tried."""
    judged = {
        rung.unlearning.name: Attempt(
            method=rung.unlearning.name,
            verdict=rung.ending,
            removed=rung.verdict.removal,
        )
        for rung in deletion.rungs
    }
    return tuple(judged.get(name) or Attempt(method=name, verdict="failed") for name in deletion.tried)
