"""Whether a judged model may be released: what the policy says of each verdict, and of a model's drift."""

from unlearn_core.records.drift import DriftSummary
from unlearn_core.records.policy import DriftBudget, Policy, Verdict


def accept(policy: Policy, verdict: Verdict, *, is_retrain: bool) -> tuple[bool, str]:
    """Say whether a judged model may be released under a policy.

    A pass is accepted and a failure is not, a retrained model's included: it is judged like any other.
    An inconclusive model with a measurement missing is never accepted, since nobody looked. Where there was
    no sample to look at, or a measurement is undecided, it is accepted only if it was retrained without the
    forgotten data. Any other inconclusive model is accepted with a note under ``accept_with_note``, and under
    ``retrain`` only if it was retrained.

    All of that is about the claim *behaves*. If the claim *removed* is judged and fails, a model that is
    otherwise acceptable is accepted if it was retrained, or with a note if the policy says so.

    Args:
        policy: Says what to do when nothing forgettable was measurable.
        verdict: The gate's verdict on the model.
        is_retrain: Whether the model was trained from scratch on the retained data only.

    Returns:
        Whether it is accepted, and why in plain words; that is the note wherever less was shown than asked.
    """
    accepted, why = _accept_behaviour(policy, verdict, is_retrain=is_retrain)
    if verdict.removed is None or not accepted:
        return accepted, why
    why = f"Behaves: {why} Removed: {verdict.removed.reason}"
    if not verdict.has_remains:
        return True, why
    if is_retrain:
        return True, f"{why} Accepted: the model was retrained without the forgotten data."
    if policy.when_not_removed == "accept_with_note":
        return True, f"{why} By the policy such a model is accepted where no other method shows both."
    return False, f"{why} The policy accepts only a model that shows both."


def _accept_behaviour(policy: Policy, verdict: Verdict, *, is_retrain: bool) -> tuple[bool, str]:
    """Say whether the verdict on the claim *behaves* allows a release, and why."""
    if verdict.verdict != "inconclusive":
        return verdict.verdict == "passes", verdict.reason
    outcomes = {finding.outcome for finding in verdict.findings}
    if any(one.outcome == "not_measured" and one.lacking is None for one in verdict.findings):
        return False, f"{verdict.reason} What was not measured cannot be accepted."
    if is_retrain:
        return True, f"{verdict.reason} Accepted: the model was retrained without the forgotten data."
    if outcomes & {"not_measured", "undecided"}:
        return False, f"{verdict.reason} Only a retrained model is accepted then."
    if policy.when_inconclusive == "accept_with_note":
        return True, f"{verdict.reason} Accepted with this note, as the policy says."
    return False, f"{verdict.reason} The policy accepts only a retrained model then."


def unmeasurable(verdict: Verdict) -> str | None:
    """Return why no method can be shown to have forgotten, or None if one might be.

    Args:
        verdict: The gate's verdict on the model before unlearning.

    Returns:
        Which samples there are none of to judge the claim *behaves* on, in plain words.
    """
    findings = (one for one in verdict.findings if one.claim == "behaves")
    reasons = dict.fromkeys(one.lacking for one in findings if one.lacking is not None)
    if not reasons:
        return None
    told = " and ".join(reasons)
    return f"Not every measurement can be taken, since {told}. Only a retrained model is accepted then."


def spent(budget: DriftBudget, requests: int) -> str | None:
    """Return why a request may not be served without training in full, or None if it may.

    Args:
        budget: The policy's drift budget.
        requests: Deletions since the model was trained in full, the request to be served included.

    Returns:
        Why only training in full is left, in plain words.
    """
    if budget.max_requests is None or requests <= budget.max_requests:
        return None
    return (
        f"The drift budget is spent: this would be deletion {requests} since the model was trained in full, "
        f"{budget.max_requests} are allowed."
    )


def overdrawn(budget: DriftBudget, drift: DriftSummary) -> str | None:
    """Say by what a model has drifted beyond the budget, or None.

    Args:
        budget: The policy's drift budget.
        drift: How far the model has come from the last one that was trained in full.

    Returns:
        Why it may not be released, in plain words.
    """
    dropped = None
    if drift.accuracy is not None and drift.accuracy_at_origin is not None:
        dropped = drift.accuracy_at_origin - drift.accuracy
    held = {
        "deletions": (drift.requests, budget.max_requests),
        "weight distance": (drift.weight_distance, budget.max_weight_distance),
        "output change": (1 - drift.retained_energy, budget.max_output_change),
        "accuracy drop": (dropped, budget.max_accuracy_drop),
    }
    beyond = [
        f"{name} {value:.4g}, allowed {allowed:.4g}"
        for name, (value, allowed) in held.items()
        if allowed is not None and value is not None and value > allowed
    ]
    return f"The drift budget is overdrawn: {'; '.join(beyond)}." if beyond else None
