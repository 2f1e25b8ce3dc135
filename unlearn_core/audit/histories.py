"""Which runs a request had before the one that is certified, according to the ledger's events."""

from collections.abc import Iterable
from dataclasses import dataclass

from unlearn_core.kinds import RunResult
from unlearn_core.records.base import Sha256, UtcTime
from unlearn_core.records.history import EarlierRun, RequestHistory
from unlearn_core.records.ledger import LedgerEvent


@dataclass
class _Run:
    """A run as its events tell it."""

    began: UtcTime
    policy: Sha256 | None
    result: RunResult | None = None
    deletion: Sha256 | None = None


def history_of(events: Iterable[LedgerEvent], deletion: Sha256 | None = None) -> RequestHistory:
    """Return the earlier runs of a request, and the policy when it was received.

    The same run repeated, which gives the same record, is not another attempt. A run without an end was
    interrupted, unless it goes on.

    Args:
        events: The events of one request, in order.
        deletion: The digest of the record that the present run ended in; with None all runs are told.

    Returns:
        The history.
    """
    at_receipt, runs = None, list[_Run]()
    for event in events:
        if event.action == "submit":
            at_receipt = event.policy
        elif event.action == "begin":
            runs.append(_Run(event.time, event.policy))
        elif event.action == "end" and runs and runs[-1].result is None:
            runs[-1].result, runs[-1].deletion = event.run, event.deletion
    return RequestHistory(
        source="ledger",
        policy_at_receipt=at_receipt,
        runs=tuple(
            EarlierRun(began=run.began, result=run.result or "interrupted", policy=run.policy)
            for run in runs
            if deletion is None or run.deletion != deletion
        ),
    )
