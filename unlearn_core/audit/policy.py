"""The gate: whether a model behaves as if it had never seen what was forgotten, and whether any is left.

The two are different claims, *behaves* and *removed*, each with its own bands and verdict. A new last layer
on untouched features behaves like a retrained model, while the features still tell what was forgotten.

Each is two-sided, and read in this order:

1. Each band of the policy makes one *finding* on the candidate (``find``), unless the measurement rests on
   fewer samples than the band asks for, or could say nothing of any model.
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
from typing import get_args

from unlearn_core.audit.bands import find, finite
from unlearn_core.audit.calibrated import calibrated_bands, measured_for
from unlearn_core.audit.evidence import SHADOWS, level
from unlearn_core.kinds import ScopeKind
from unlearn_core.records.calibration import CalibratedKind
from unlearn_core.records.evaluation import Evaluation
from unlearn_core.records.policy import (
    Band,
    ClaimName,
    ClaimVerdict,
    Finding,
    FindingOutcome,
    Policy,
    Verdict,
    VerdictName,
)


def judge(
    policy: Policy,
    scope_kind: ScopeKind,
    candidate: Evaluation,
    *,
    original: Evaluation,
    references: Sequence[Evaluation],
    calibrated: CalibratedKind | None = None,
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
        calibrated: What stands in for retrained models where there is none: it gives the bands their bounds.

    Returns:
        The verdict on each claim, with one finding per applicable band in the policy's order, those of
        *behaves* first. ``decided_by`` names the measurements outside their bands that gave a failure its
        name; those not measured, or not decided; or, of a pass, those that tell the original from the
        candidate. It is empty where the original passes as well.
    """
    stated = _stated(policy, scope_kind, candidate)
    if calibrated is not None and not references:
        stated = calibrated_bands(calibrated, stated, original)
    judged = {
        claim: _judge_claim(
            [band for band in stated if band.claim == claim],
            candidate,
            original=original,
            references=references,
            alpha=policy.alpha,
        )
        for claim in get_args(ClaimName)
        if any(band.claim == claim for band in stated)
    }
    shadows = finite(candidate, SHADOWS) or 0
    return Verdict(
        **dict(judged["behaves"][0]),
        level=level(len(references), int(shadows), calibrated=calibrated is not None),
        findings=tuple(finding for _, findings in judged.values() for finding in findings),
        policy=policy.digest,
        removed=judged["removed"][0] if "removed" in judged else None,
    )


def unjudged(
    policy: Policy, scope_kind: ScopeKind, candidate: Evaluation, *, calibrated: bool = False
) -> dict[str, str]:
    """Return what a policy has a band for, and a verdict on a candidate is silent about.

    Args:
        policy: The bands.
        scope_kind: Which of them apply.
        candidate: What was measured on the model that was judged.
        calibrated: Whether a calibration gave the bands their bounds.

    Returns:
        Why, by the measurement's name.
    """
    found = dict[str, str]()
    for band in _stated(policy, scope_kind, candidate):
        name = measured_for(band).measurement if calibrated else band.measurement
        if (why := candidate.silence(name)) is not None:
            found[band.measurement] = why
        elif not _has_samples(band, candidate):
            found[band.measurement] = f"it rests on fewer than {band.least_samples} samples"
    return found


def _judge_claim(
    stated: Sequence[Band],
    candidate: Evaluation,
    *,
    original: Evaluation,
    references: Sequence[Evaluation],
    alpha: float,
) -> tuple[ClaimVerdict, tuple[Finding, ...]]:
    """Judge one claim by its bands; see ``judge``."""
    silent = _silent(stated, (candidate, original, *references))
    telling = tuple(band for band in stated if band.measurement not in silent)
    bands = tuple(band for band in telling if _has_samples(band, candidate))
    findings = find(bands, candidate, references, alpha=alpha)
    control = find(bands, original, references, alpha=alpha)
    verdict, decided_by, reason = _weigh(findings, control)
    if skipped := [band for band in telling if band not in bands]:
        reason = f"{reason} {_too_few(skipped, candidate)}"
    if silent:
        reason = f"{reason} Not judged: {'; '.join(f'{name}, since {why}' for name, why in silent.items())}."
    return ClaimVerdict(verdict=verdict, decided_by=decided_by, reason=reason), findings


def _stated(policy: Policy, scope_kind: ScopeKind, candidate: Evaluation) -> tuple[Band, ...]:
    """Return a policy's bands for a kind of scope, and for planted canaries."""
    planted = any(candidate.get(band.measurement) for band in policy.canaries)
    return policy.bands_of(scope_kind, planted=planted)


def _weigh(
    findings: tuple[Finding, ...], control: tuple[Finding, ...]
) -> tuple[VerdictName, tuple[str, ...], str]:
    """Return the verdict, the measurements that decided it, and the reason in plain words."""
    for failing in ("under_forgotten", "over_forgotten"):
        if decisive := _named(findings, failing):
            return failing, decisive, _failure(findings, failing)
    if missing := _named(findings, "not_measured"):
        return "inconclusive", missing, _not_measured(findings)
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


def _not_measured(findings: tuple[Finding, ...]) -> str:
    """Say which values are missing, and which samples there were none of to take them on."""
    lacking: dict[str | None, list[str]] = {}
    for finding in findings:
        if finding.outcome == "not_measured":
            lacking.setdefault(finding.lacking, []).append(finding.measurement)
    told = (
        [f"Not measured, or not a finite number: {', '.join(lacking.pop(None))}."] if None in lacking else []
    )
    return " ".join(
        [*told, *(f"Not measured: {', '.join(names)}, since {why}." for why, names in lacking.items())]
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


def _silent(stated: Sequence[Band], models: Sequence[Evaluation]) -> dict[str, str]:
    """Return the measurements that could say nothing of any of the models, and why."""
    reasons = {band.measurement: models[0].silence(band.measurement) for band in stated}
    return {
        name: why
        for name, why in reasons.items()
        if why is not None and all(one.silence(name) and one.get(name) is None for one in models)
    }


def _too_few(skipped: list[Band], measured: Evaluation) -> str:
    """Say which measurements were not judged, and why."""
    counts = {band.measurement: measured.get(band.measurement) for band in skipped}
    named = (f"{name} ({found.samples})" for name, found in counts.items() if found is not None)
    return f"Not judged, for too few samples: {', '.join(named)}."


def _named(findings: tuple[Finding, ...], outcome: FindingOutcome) -> tuple[str, ...]:
    return tuple(finding.measurement for finding in findings if finding.outcome == outcome)
