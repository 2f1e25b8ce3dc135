"""The calibration that a policy names: found, and asked whether it holds for a request."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from tasks.checkout.checkout import Checkout, short
from tasks.checkout.files import read_record
from tasks.checkout.log import tell
from tasks.computing.checkpoints import load_checkpoint, read_checkpoint_card
from tasks.computing.materials import find_model, read_split
from tasks.data.datasets import read_manifest
from tasks.evidence.purged import purge_that_erased
from unlearn_core.audit.calibrated import measured_for, out_of_range
from unlearn_core.canaries import CANARY_SUBJECT
from unlearn_core.errors import PipelineError
from unlearn_core.kinds import RequestKind, scope_kind
from unlearn_core.records.artifact import CheckpointCard
from unlearn_core.records.base import Sha256
from unlearn_core.records.calibration import Calibration
from unlearn_core.records.deletion import SplitRecord
from unlearn_core.records.policy import Policy
from unlearn_core.selection import ASKED_SPLITS, Manifest


def calibration_file(checkout: Checkout, digest: Sha256) -> Path:
    """Return where a calibration is pinned, beside the retrained models."""
    return checkout.reference(short(digest)) / "calibration.json"


def read_calibration(checkout: Checkout, policy: Policy) -> Calibration | None:
    """Read the calibration that a policy names.

    Args:
        checkout: The checkout.
        policy: The policy.

    Returns:
        The calibration, or None if the policy names none.

    Raises:
        PipelineError: If it is missing, or another one is in its place.
    """
    if policy.calibration is None:
        return None
    path = calibration_file(checkout, policy.calibration)
    if not path.is_file():
        raise PipelineError(
            f"{path}, which policy.calibration names, does not exist; fetch it with `dvc checkout` or `dvc "
            "pull`, or run `lethe calibrate`"
        )
    found = read_record(path, Calibration)
    if found.digest != policy.calibration:
        raise PipelineError(
            f"{path} holds the calibration {found.digest}, policy.calibration names {policy.calibration}"
        )
    return found


class CalibrationFound(NamedTuple):
    """The calibration that judges a request; if the one that the policy names does not, why not."""

    calibration: Calibration | None = None
    why_not: str | None = None


def find_calibration(checkout: Checkout, policy: Policy) -> CalibrationFound:
    """Find the calibration that judges the current request, and tell which it is, or why there is none.

    Args:
        checkout: The checkout, with its request split.
        policy: The policy.

    Returns:
        The calibration, or why the one that the policy names does not hold; neither if it names none.
    """
    if (found := read_calibration(checkout, policy)) is None:
        return CalibrationFound()
    split, parent = read_split(checkout), read_checkpoint_card(checkout.parent)
    why = lapsed(found, policy, parent, kind=split.scope_kind, rows=len(split.forget_rows))
    why = why or unlike_any(
        read_manifest(checkout.dataset), split.scope_kind, split.classes, split.forget_rows
    )
    if why is None and parent.trained is not None:
        why = _too_far(checkout, found, parent, split, parent.trained)
    if why is None:
        tell("  judged by the calibration: no model is retrained to compare with")
        return CalibrationFound(found)
    tell(f"  the calibration does not hold for this request: {why} (policy.otherwise: {policy.otherwise})")
    return CalibrationFound(why_not=why)


def unlike_any(
    manifest: Manifest, kind: RequestKind, classes: Sequence[int], rows: Sequence[int]
) -> str | None:
    """Say why no pseudo-request is like a request, or return None.

    Args:
        manifest: The data set.
        kind: What the request names.
        classes: The classes that are forgotten; empty unless the request names classes.
        rows: The positions of the training rows that are forgotten.

    Returns:
        The reason, in plain words.
    """
    persons = {*manifest.subject_ids[list(rows)].tolist()}
    if persons == {CANARY_SUBJECT}:
        return "it is not for planted canaries, which have bands of their own"
    if kind == "subjects" and len(persons) > 1:
        return f"it is for single persons, not for {len(persons)} together"
    if len(classes) > 1:
        return f"it is for single classes, not for {len(classes)} together"
    held = [set(manifest.labels[manifest.splits == part].tolist()) for part in ASKED_SPLITS]
    whole = all(set(classes) <= some for some in held)
    return None if whole else "what is forgotten has no held-out image to measure on"


def lapsed(
    found: Calibration, policy: Policy, parent: CheckpointCard | None, *, kind: RequestKind, rows: int
) -> str | None:
    """Say why a calibration does not hold for a request, from cards alone, or return None.

    Args:
        found: The calibration.
        policy: Each of its bands must have been calibrated.
        parent: The card of the model to start from; None before it was made.
        kind: The request's kind.
        rows: How many training rows it names.

    Returns:
        The reason, in plain words.
    """
    if parent is None:
        return "the model that it is of was not made yet"
    if parent.recipe != found.recipe:
        return "the model's recipe is not the one that its pseudo-requests were retrained by"
    if parent.weights == found.model and parent.data != found.data:
        return "the model's training data are not those that its pseudo-requests were drawn from"
    why = out_of_range(
        found,
        kind=kind,
        rows=rows,
        model=parent.trained or parent.weights,
        deletions=parent.deletions,
    )
    if why is not None or (bands := found.of(kind)) is None:
        return why
    known = {(claim.claim, one.measurement) for claim in bands.claims for one in claim.measurements}
    asked = policy.bands_of(scope_kind(kind))
    missing = [
        band.measurement
        for band in asked
        if (band.claim, measured_for(band).measurement) not in known and rows >= band.least_samples
    ]
    return f"it has no band for {', '.join(missing)}" if missing else None


def _too_far(
    checkout: Checkout, found: Calibration, parent: CheckpointCard, split: SplitRecord, trained: Sha256
) -> str | None:
    """Say why the parent's weights are not near enough to the calibrated model's, or return None."""
    if purge_that_erased(checkout, trained) is not None:
        return "a purge has erased the calibrated model, so nobody can tell how far the weights have come"
    if found.weight_distance is None:
        return None
    from unlearn_core.comparing import weight_distances

    folders = (checkout.parent, find_model(checkout, trained))
    return out_of_range(
        found,
        kind=split.scope_kind,
        rows=len(split.forget_rows),
        model=trained,
        deletions=parent.deletions,
        distance=weight_distances(*(load_checkpoint(folder)[0] for folder in folders)).whole,
    )
