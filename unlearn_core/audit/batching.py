"""How long a request waits for others on its model, so that one run serves several.

It waits ``wait_h`` hours from receipt, or until ``at_most`` of them wait, and never longer than its due day
allows: three days before that is over it stops waiting, which leaves time for a run of a day, another try,
and a person's approval. What waits is a matter of cost alone, so no rule here can make a request late.
"""

from unlearn_core.audit.deadlines import ENDS_FIRST, later
from unlearn_core.records.base import UtcTime
from unlearn_core.records.batch import Batch
from unlearn_core.records.ledger import Day, Submission

LEFT_H = 72
"""How many hours before its due day is over a request stops waiting."""


def latest_start(due: Day) -> UtcTime:
    """Return until when a request may wait for others at most."""
    return later(f"{due}{ENDS_FIRST}", -3600 * LEFT_H)


def waits_until(submission: Submission, batch: Batch | None, now: UtcTime) -> UtcTime | None:
    """Return until when a request waits for others.

    Args:
        submission: What was asked for, and by which day it is due.
        batch: The policy of its model; None if its requests do not wait.
        now: The present.

    Returns:
        The time; None if it does not wait, or not any more.
    """
    if batch is None:
        return None
    until = min(later(submission.received, 3600 * batch.wait_h), latest_start(submission.due))
    return until if until > now else None
