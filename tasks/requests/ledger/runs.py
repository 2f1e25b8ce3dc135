"""The runs of requests, as events: whoever climbs the ladder says so before and after."""

from collections.abc import Sequence

from tasks.requests.ledger.changing import append
from tasks.requests.ledger.database import writing
from tasks.requests.ledger.ledger import Ledger
from tasks.requests.ledger.reading import known_row, last_event
from tasks.requests.ledger.tables import submission_of
from unlearn_core.audit.ledger import next_event
from unlearn_core.kinds import RunResult
from unlearn_core.records.base import Sha256
from unlearn_core.records.request import DeletionRequest


def record_run(
    ledger: Ledger,
    requests: Sequence[DeletionRequest],
    *,
    actor: str,
    policy: Sha256,
    result: RunResult | None = None,
    deletion: Sha256 | None = None,
) -> None:
    """Record that a run of requests begins, or how it ended; their state stays.

    Args:
        ledger: The ledger; it holds the requests.
        requests: What is served together.
        actor: Who runs it.
        policy: The digest of the policy.
        result: What came of it; None when it begins.
        deletion: The digest of its record, if there is one.
    """
    with writing(ledger.engine) as session:
        for request in requests:
            row = known_row(session, request.id)
            event = next_event(
                last_event(session),
                submission_of(row),
                row.state,
                "begin" if result is None else "end",
                time=ledger.clock(),
                actor=actor,
                reason=None,
                policy=policy,
                run=result,
                deletion=deletion,
            )
            append(session, event)
