"""What a reader of a verified certificate asks first, as JSON values."""

from collections.abc import Iterator

from pydantic import JsonValue

from unlearn_core.audit.calibrated import guaranteed
from unlearn_core.audit.policy import unjudged
from unlearn_core.kinds import RequestKind, scope_kind
from unlearn_core.records.base import Sha256
from unlearn_core.records.certificate import DeletionCertificate, Judgement
from unlearn_core.records.judged import JudgedCertificate
from unlearn_core.records.policy import NOT_JUDGED

Summary = dict[str, JsonValue]

ACCURACIES = tuple(f"accuracy.{part}.{side}" for side in ("forget", "retain") for part in ("train", "test"))
"""What a reader asks first: how often a model is right about what was forgotten, and about the rest."""


def told_of(
    certified: DeletionCertificate | JudgedCertificate, *, signer: Sha256, model_checked: bool
) -> Summary:
    """Select what a reader asks first of a verified certificate.

    Args:
        certified: The certificate, of either kind.
        signer: The id of the key that signed it.
        model_checked: Whether the model's file was compared with it.

    Returns:
        The same keys for both kinds; ``kind`` says which it is.
    """
    own = _judged(certified) if isinstance(certified, JudgedCertificate) else _made(certified)
    judgement, provenance = certified.judgement, certified.provenance
    verdict = judgement.verdict
    return {
        "signed_by": signer,
        "judged_again": judgement.policy is not None,
        "request": certified.request.id,
        "scope": certified.request.kind,
        "extensions": "; ".join(f"{one}, code {one.code}" for one in certified.extensions) or None,
        "verdict": verdict.verdict,
        "removed": verdict.removal or NOT_JUDGED,
        "evidence_level": verdict.level,
        "calibration": _calibration(judgement, certified.request.kind),
        "model_checked": model_checked,
        "started": provenance.started,
        "finished": provenance.finished,
        "commit": provenance.commit,
        "dirty": provenance.dirty,
        "asked_again": [f"{one.request}: {one.in_words}" for one in certified.earlier],
        "accuracies": _accuracies(judgement),
        "findings": _findings(judgement),
        "policy": verdict.policy,
        "asked": None if judgement.policy is None else judgement.policy.model_dump(mode="json"),
        **own,
    }


def _calibration(judgement: Judgement, kind: RequestKind) -> str | None:
    """Say what a calibration promises and tells apart, where one stood in for retrained models."""
    if (found := judgement.calibrated_for(kind)) is None or (power := found.power) is None:
        return None
    held, passed = power.retrained, power.originals
    return (
        f"coverage {found.coverage:g}, at least {guaranteed(found.coverage, found.folds):.2g}, from "
        f"{len(found.folds)} pseudo-requests; of these its bands held {held.inside} of {held.judged} "
        f"retrained models, and {passed.inside} of {passed.judged} originals"
    )


def _made(certified: DeletionCertificate) -> Summary:
    """Return what only a deletion has."""
    group, method = certified.group, str(certified.method["name"])
    return {
        "kind": "made",
        "ending": "passes",
        "shown": certified.judgement.verdict.shown_of(method),
        "not_asked": [*_not_asked(certified)],
        "group": None if group is None else f"{group.id} of {len(group.members)} requests",
        "method": method,
        "model": certified.models.unlearned,
        "parent": certified.models.parent,
        "note": certified.note,
        "earlier_runs": _earlier_runs(certified),
    }


def _judged(certified: JudgedCertificate) -> Summary:
    """Return what is said of a model that somebody else made."""
    return {
        "kind": "judged",
        "ending": certified.ending,
        "shown": certified.in_words,
        "not_asked": [*not_known(certified)],
        "group": None,
        "method": certified.method,
        "model": certified.models.candidate,
        "parent": certified.models.original,
        "note": "Lethe did not make this model. It was handed in as a file, and nothing was released",
        "earlier_runs": None,
    }


def _earlier_runs(certified: DeletionCertificate) -> str | None:
    """Say what was tried for the request before, and whether the policy was changed meanwhile."""
    if (history := certified.history) is None:
        return None
    told = ", ".join(f"{count} {result}" for result, count in history.results.items()) or "none"
    changed = history.policy_changed(certified.judgement.verdict.policy)
    return f"{told} ({history.source}){'; the policy was changed meanwhile' if changed else ''}"


def _not_asked(certified: DeletionCertificate) -> Iterator[str]:
    """Say what a certificate does not carry, as one of an earlier version, or what was not judged in it."""
    if certified.judgement.policy is None:
        yield "whether the verdict follows from the numbers: the policy is not in it"
    yield from _bands_not_asked(certified.judgement, certified.request.kind)
    if certified.drift is None:
        yield "how far the model has drifted"
    elif certified.drift.requests > 1 and not certified.earlier:
        yield "whether what was forgotten before is still forgotten: no earlier request is in it"
    if certified.history is None:
        yield "how often it was tried before"
    if certified.provenance.code is None:
        yield "which code of Lethe's made it"
    if certified.pins is None:
        yield "which files it read beside the pipeline's lock"
    if certified.manifest is None:
        yield "whose rows were in the training data: it does not commit to them"
    yield from _claims_not_asked(certified.judgement)


def not_known(certified: JudgedCertificate) -> Iterator[str]:
    """Say what nobody but the maker of a model knows, and what was not judged."""
    yield "which method made the model, how much of it that reached, and what it cost"
    yield "what it was trained on: only its maker knows whether the images that judged it were held out"
    name = certified.handed_in
    yield f"who handed it in: {'not said' if name is None else f'the issuer keeps that, as {name}'}"
    yield "how far the model has drifted"
    if certified.judgement.policy is not None and certified.judgement.policy.shadows:
        yield "what shadow models show: they would have to be unlearned by the same method"
    yield from _bands_not_asked(certified.judgement, certified.request.kind)
    yield from _claims_not_asked(certified.judgement)


def _bands_not_asked(judgement: Judgement, kind: RequestKind) -> Iterator[str]:
    if judgement.policy is not None:
        is_calibrated = judgement.calibration is not None
        found = unjudged(judgement.policy, scope_kind(kind), judgement.unlearned, calibrated=is_calibrated)
        for name, why in found.items():
            yield f"whether {name} is inside the policy's band: {why}"


def _claims_not_asked(judgement: Judgement) -> Iterator[str]:
    if judgement.calibration is not None:
        yield (
            "whether the model behaves like one retrained to compare with: there is none; a calibration "
            "stands in, and how far the weights had come from the calibrated model is not in it"
        )
        yield "what the calibration was made from: its pseudo-requests and their numbers are not in it"
    elif judgement.not_calibrated is not None:
        yield (
            "what the calibration would say that the policy asks for: it does not hold for this request, "
            f"since {judgement.not_calibrated}"
        )
    if judgement.calibration is None and not judgement.references:
        yield "whether the model behaves like a retrained one: none is in it"
    if judgement.verdict.removed is None:
        yield "whether anything is left inside: its policy has no band for that"


def _findings(judgement: Judgement) -> list[JsonValue]:
    """Return what was judged: each band's bounds, the model's value in them and the original's."""
    return [
        {
            "claim": finding.claim,
            **finding.model_dump(mode="json"),
            "original": judgement.original.find(finding.measurement),
        }
        for finding in judgement.verdict.findings
    ]


def _accuracies(judgement: Judgement) -> list[JsonValue]:
    """Return how often each model is right on what was forgotten, and on the rest."""
    rows: list[JsonValue] = []
    for name in ACCURACIES:
        if (unlearned := judgement.unlearned.find(name)) is None:
            continue
        retrained: list[JsonValue] = [one.find(name) for one in judgement.references]
        original = judgement.original.find(name)
        rows.append(
            {"measurement": name, "original": original, "unlearned": unlearned, "retrained": retrained}
        )
    return rows
