"""The gate: whether a model behaves as if it had never seen what was forgotten.

Two-sided, and read in this order:

1. Each band of the policy makes one *finding* on the candidate (``find``), unless the measurement rests on
   fewer samples than the band asks for.
2. If any finding is shown to lie outside its band, the candidate fails, whatever else is true. Where some say
   under-forgotten and some over-forgotten, the verdict is under-forgotten: data still there is the
   greater harm.
3. If any finding could not be made, or is undecided, nothing can be said: *inconclusive*.
4. Everything is inside. If the original model is under-forgotten by no band (negative control), the gate
   could not have told the difference: *inconclusive*. An original that only looks over-forgotten does not
   count as a control that failed, since that is damage or chance and shows nothing that could be forgotten.
5. Otherwise the candidate passes.

All findings must be inside: an intersection–union test (Berger 1982), which needs no correction for
multiplicity.
"""

from collections.abc import Sequence

from unlearn_core.audit.bands import find, finite
from unlearn_core.audit.evidence import level
from unlearn_core.kinds import ScopeKind
from unlearn_core.records.drift import DriftSummary
from unlearn_core.records.evaluation import Evaluation
from unlearn_core.records.policy import (
    Band,
    DriftBudget,
    Finding,
    FindingOutcome,
    Policy,
    Verdict,
    VerdictName,
)

SHADOWS = "ulira.shadows"
"""The measurement that says how many pairs of shadow models an attack was given."""


def judge(
    policy: Policy,
    scope_kind: ScopeKind,
    candidate: Evaluation,
    *,
    original: Evaluation,
    references: Sequence[Evaluation],
) -> Verdict:
    """Say whether a candidate model counts as having forgotten.

    Args:
        policy: The bands, fixed before the run.
        scope_kind: Which of the policy's bands apply; a subject's rows are samples.
        candidate: What was measured on the model under judgement.
        original: The same measurements on the model before unlearning, as negative control.
        references: The same measurements on each of the models retrained without the forgotten data; without
            one the bands' absolute bounds apply. They and the shadow models behind the candidate's
            measurements give the level of evidence.

    Returns:
        The verdict, with one finding per applicable band in the policy's order. ``decided_by`` names the
        measurements outside their bands that gave a failure its name; those not measured, or not decided; or,
        of a pass, those that tell the original from the candidate. It is empty where the original passes as
        well.
    """
    stated = _stated(policy, scope_kind, candidate)
    bands = tuple(band for band in stated if _has_samples(band, candidate))
    findings = find(bands, candidate, references, alpha=policy.alpha)
    control = find(bands, original, references, alpha=policy.alpha)
    verdict, decided_by, reason = _weigh(findings, control)
    if skipped := [band for band in stated if band not in bands]:
        reason = f"{reason} {_too_few(skipped, candidate)}"
    shadows = finite(candidate, SHADOWS) or 0
    return Verdict(
        verdict=verdict,
        level=level(len(references), int(shadows)),
        decided_by=decided_by,
        reason=reason,
        findings=findings,
        policy=policy.digest,
    )


def _stated(policy: Policy, scope_kind: ScopeKind, candidate: Evaluation) -> tuple[Band, ...]:
    """Return a policy's bands for a kind of scope, and for planted canaries."""
    if scope_kind == "classes":
        return policy.classes
    planted = any(candidate.get(band.measurement) for band in policy.canaries)
    return (*policy.samples, *policy.canaries) if planted else policy.samples


def accept(policy: Policy, verdict: Verdict, *, is_retrain: bool) -> tuple[bool, str]:
    """Say whether a judged model may be released under a policy.

    A pass is accepted and a failure is not, a retrained model's included: it is judged like any other.
    An inconclusive model with a measurement missing is never accepted, since nobody looked; one with a
    measurement undecided only if it was retrained without the forgotten data. Any other inconclusive model is
    accepted with a note under ``accept_with_note``, and under ``retrain`` only if it was retrained.

    Args:
        policy: Says what to do when nothing forgettable was measurable.
        verdict: The gate's verdict on the model.
        is_retrain: Whether the model was trained from scratch on the retained data only.

    Returns:
        Whether it is accepted, and why in plain words; with an accepted inconclusive model that is the note.
    """
    if verdict.verdict != "inconclusive":
        return verdict.verdict == "passes", verdict.reason
    outcomes = {finding.outcome for finding in verdict.findings}
    if "not_measured" in outcomes:
        return False, f"{verdict.reason} What was not measured cannot be accepted."
    if is_retrain:
        return True, f"{verdict.reason} Accepted: the model was retrained without the forgotten data."
    if "undecided" in outcomes:
        return False, verdict.reason
    if policy.when_inconclusive == "accept_with_note":
        return True, f"{verdict.reason} Accepted with this note, as the policy says."
    return False, f"{verdict.reason} The policy accepts only a retrained model then."


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
    held = {
        "deletions": (drift.requests, budget.max_requests),
        "weight distance": (drift.weight_distance, budget.max_weight_distance),
        "output change": (1 - drift.retained_energy, budget.max_output_change),
        "accuracy drop": (drift.accuracy_at_origin - drift.accuracy, budget.max_accuracy_drop),
    }
    beyond = [
        f"{name} {value:.4g}, allowed {allowed:.4g}"
        for name, (value, allowed) in held.items()
        if allowed is not None and value > allowed
    ]
    return f"The drift budget is overdrawn: {'; '.join(beyond)}." if beyond else None


def _weigh(
    findings: tuple[Finding, ...], control: tuple[Finding, ...]
) -> tuple[VerdictName, tuple[str, ...], str]:
    """Return the verdict, the measurements that decided it, and the reason in plain words."""
    for failing in ("under_forgotten", "over_forgotten"):
        if decisive := _named(findings, failing):
            return failing, decisive, _failure(findings, failing)
    if missing := _named(findings, "not_measured"):
        return "inconclusive", missing, f"Not measured, or not a finite number: {', '.join(missing)}."
    if open_ := _named(findings, "undecided"):
        return "inconclusive", open_, _too_wide(findings)
    if not (telling := _named(control, "under_forgotten")):
        return "inconclusive", (), _no_control(control)
    names = ", ".join(telling)
    return (
        "passes",
        telling,
        f"All {len(findings)} measurements are inside their bands; the original fails {names}.",
    )


def _too_wide(findings: tuple[Finding, ...]) -> str:
    """Say which values the retrained models are too few, or too far apart, to decide on."""
    return (
        f"Undecided: {_values_outside(findings, 'undecided')}; the retrained models are too few, or too far "
        "apart, to tell (policy.references)."
    )


def _failure(findings: tuple[Finding, ...], failing: FindingOutcome) -> str:
    return f"{failing.replace('_', '-').capitalize()}: {_values_outside(findings, failing)}."


def _values_outside(findings: tuple[Finding, ...], outcome: FindingOutcome) -> str:
    """Say which values lie outside which bounds."""
    return "; ".join(
        f"{finding.measurement} is {finding.value:.4g}, outside {_span(finding)}"
        for finding in findings
        if finding.outcome == outcome
    )


def _span(finding: Finding) -> str:
    lowest = "-∞" if finding.lowest is None else f"{finding.lowest:.4g}"
    highest = "∞" if finding.highest is None else f"{finding.highest:.4g}"
    return f"[{lowest}, {highest}]"


def _no_control(control: tuple[Finding, ...]) -> str:
    """Say why the original model proves nothing about the gate."""
    if missing := _named(control, "not_measured"):
        return (
            f"The original model was not measured on {', '.join(missing)}, so the gate is not shown to work."
        )
    return "The original model passes as well: nothing that could be forgotten was measurable."


def _has_samples(band: Band, measured: Evaluation) -> bool:
    """Tell whether a measurement rests on enough samples for a band; ``find`` misses a missing one."""
    found = measured.get(band.measurement)
    return found is None or found.samples is None or found.samples >= band.least_samples


def _too_few(skipped: list[Band], measured: Evaluation) -> str:
    """Say which measurements were not judged, and why."""
    counts = {band.measurement: measured.get(band.measurement) for band in skipped}
    named = (f"{name} ({found.samples})" for name, found in counts.items() if found is not None)
    return f"Not judged, for too few samples: {', '.join(named)}."


def _named(findings: tuple[Finding, ...], outcome: FindingOutcome) -> tuple[str, ...]:
    return tuple(finding.measurement for finding in findings if finding.outcome == outcome)
