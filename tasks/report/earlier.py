"""What a report says of the policy's age, and of the runs before the one that it is about."""

from tasks.report.numbers import counted
from unlearn_core.records.history import RequestHistory
from unlearn_core.records.report import ReportFacts

RESULTS = {
    "accepted": "with a model that was accepted",
    "refused": "refused by the gate",
    "failed": "ended by an error",
    "interrupted": "interrupted",
}


def when_fixed(facts: ReportFacts) -> str:
    """Say when the measurements and ranges were fixed, and how many runs there were before.

    Args:
        facts: The report's content.

    Returns:
        One or two sentences.
    """
    certificate = facts.certificate
    history = None if certificate is None else certificate.history
    if certificate is None or history is None:
        return "These measurements and ranges were fixed in the policy before this run began."
    changed = history.policy_changed(certificate.judgement.verdict.policy)
    return f"{_fixed(history, changed)} {_earlier(history)}"


def _fixed(history: RequestHistory, changed: bool | None) -> str:
    if changed:
        since = "the request was received" if history.policy_at_receipt else "an earlier run"
        return f"These measurements and ranges are those of a policy that was changed after {since}."
    if history.policy_at_receipt:
        return "These measurements and ranges were fixed in the policy when the request was received."
    return (
        "These measurements and ranges were fixed in the policy before this run began; those in force when "
        "the request was received are not recorded."
    )


def _earlier(history: RequestHistory) -> str:
    if not history.runs:
        return "No earlier run of the request is on record."
    told = ", ".join(f"{count} {RESULTS[result]}" for result, count in history.results.items())
    were = "was" if len(history.runs) == 1 else "were"
    return f"There {were} {counted(len(history.runs), 'earlier run', 'earlier runs')} of the request: {told}."
