"""The runs of requests, as events: whoever climbs the ladder says so before and after.

A model of somebody else's that was judged for a request is an event too.
"""

from collections.abc import Sequence
from typing import Any

from tasks.requests.ledger.changing import append
from tasks.requests.ledger.database import writing
from tasks.requests.ledger.ledger import Ledger
from tasks.requests.ledger.reading import known_row, last_event
from tasks.requests.ledger.tables import submission_of
from unlearn_core.audit.ledger import next_event
from unlearn_core.kinds import RunResult
from unlearn_core.records.base import Sha256
from unlearn_core.records.ledger import Action
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
    action: Action = "begin" if result is None else "end"
    _record(ledger, requests, action, actor=actor, policy=policy, run=result, deletion=deletion)


def record_judgement(
    ledger: Ledger,
    requests: Sequence[DeletionRequest],
    *,
    actor: str,
    policy: Sha256,
    certificate: Sha256,
    ending: str,
) -> None:
    """Record that a model was judged that somebody else made; the requests' state stays.

    Args:
        ledger: The ledger; it holds the requests.
        requests: What the model should have forgotten.
        actor: Who judged it.
        policy: The digest of the policy.
        certificate: The digest of the certificate's file.
        ending: What came of it, in a few words.
    """
    _record(ledger, requests, "judge", actor=actor, reason=ending, policy=policy, deletion=certificate)


def _record(
    ledger: Ledger,
    requests: Sequence[DeletionRequest],
    action: Action,
    *,
    actor: str,
    reason: str | None = None,
    **of_it: Any,
) -> None:
    """Add an event that changes no state, for each of some requests."""
    with writing(ledger.engine) as session:
        for request in requests:
            row, time = known_row(session, request.id), ledger.clock()
            head, asked = last_event(session), submission_of(row)
            event = next_event(head, asked, row.state, action, time=time, actor=actor, reason=reason, **of_it)
            append(session, event)
