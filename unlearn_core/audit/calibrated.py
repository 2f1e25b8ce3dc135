"""The bands of a calibration, computed for one request from what the original shows, and where they hold.

A pseudo-request is predicted by lines that were fitted without its fold; its largest residual over all
measurements of a claim, in units of their scatter, is its score. Around the prediction for a new request,
the scores give one band for all measurements together (jackknife+ and CV+, Barber et al. 2021, Annals of
Statistics 49(1)): if request and pseudo-requests are exchangeable, the retrained model lies inside with a
probability of typically ``coverage``, and at least ``guaranteed``.

A policy's band says how far a model may be from a retrained one. So a value is inside if it lies within that
distance of the prediction, or where retrained models themselves scatter further, within their scatter.
"""

import math
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from unlearn_core.errors import ConfigurationError
from unlearn_core.kinds import RequestKind
from unlearn_core.records.calibration import (
    CalibratedClaim,
    CalibratedKind,
    CalibratedMeasurement,
    Calibration,
)
from unlearn_core.records.evaluation import Evaluation
from unlearn_core.records.policy import Band

PRODUCT_ROUNDING = 1e-9
"""What a product of a coverage and a count may be off by."""


class Measured(NamedTuple):
    """What stands for a policy's measurement where there is no retrained model to subtract or divide by."""

    measurement: str
    relative: bool = False
    """Whether the policy's distances are shares of the retrained model's value."""


_ABSOLUTE = {
    "recovery.gap": Measured("recovery.accuracy"),
    "relearn.ratio": Measured("relearn.steps", relative=True),
    "relearn.new_head.ratio": Measured("relearn.new_head.steps", relative=True),
}


def measured_for(band: Band) -> Measured:
    """Return what a calibration predicts for a band: a gap to a retrained model is an accuracy by itself."""
    name = band.measurement
    if name.startswith("probe.") and name.endswith(".gap"):
        return Measured(f"{name.removesuffix('gap')}accuracy")
    return _ABSOLUTE.get(name, Measured(name))


def least_units(coverage: float) -> int:
    """Return how many pseudo-requests a band of some coverage takes at least."""
    return math.ceil(coverage / (1 - coverage) - PRODUCT_ROUNDING)


def units_besides(folds: Sequence[int]) -> int:
    """Return how many pseudo-requests are left without those of the training that served the most."""
    return len(folds) - max(Counter(folds).values())


def guaranteed(coverage: float, folds: Sequence[int]) -> float:
    """Return the coverage that holds for any distribution, if requests are exchangeable.

    Args:
        coverage: What was asked for.
        folds: The fold of each pseudo-request.

    Returns:
        ``1 − 2α`` if each has a training of its own; less by the excess of CV+ if several share one; never
        below 0.
    """
    units, count = len(folds), len(set(folds))
    excess = min(2 * (1 - 1 / count) / (units / count + 1), (1 - count / units) / (count + 1))
    return max(0.0, 1 - 2 * (1 - coverage) - excess)


def calibrated_bands(
    calibrated: CalibratedKind, bands: Sequence[Band], original: Evaluation
) -> tuple[Band, ...]:
    """Return a policy's bands with the bounds that a calibration gives them for one request.

    Args:
        calibrated: The calibration for the request's kind.
        bands: The policy's bands.
        original: What was measured on the original for this request.

    Returns:
        A band on what ``measured_for`` names, with absolute bounds. One that is not judged, for too few
        samples or since it could not be measured, has none.

    Raises:
        ConfigurationError: If a band was not calibrated, or the original was not measured on what predicts
            it.
    """
    known = {
        (claim.claim, one.measurement): (one, claim)
        for claim in calibrated.claims
        for one in claim.measurements
    }
    found: list[Band] = []
    for band in bands:
        name = measured_for(band).measurement
        few = samples_of(original, name) < band.least_samples
        if few or original.missing(name) is not None:
            found.append(_with_bounds(band, name, None, None))
        elif (band.claim, name) in known:
            found.append(
                _with_bounds(band, name, *_bounds(calibrated, *known[band.claim, name], band, original))
            )
        else:
            raise ConfigurationError(f"the calibration has no band for {name}; run `lethe calibrate` again")
    return tuple(found)


def _with_bounds(band: Band, name: str, lowest: float | None, highest: float | None) -> Band:
    return band.model_copy(update={"measurement": name, "lowest": lowest, "highest": highest})


def _bounds(
    calibrated: CalibratedKind,
    one: CalibratedMeasurement,
    claim: CalibratedClaim,
    band: Band,
    original: Evaluation,
) -> tuple[float, float]:
    """Return between which values a model is taken for a retrained one."""
    if (feature := original.find(one.feature)) is None:
        raise ConfigurationError(
            f"the original was not measured on {one.feature}, which predicts {one.measurement}"
        )
    samples = samples_of(original, one.measurement)
    lines = [one.lines[fold] for fold in calibrated.folds]
    middles = [line.level + line.slope * feature for line in lines]
    reaches = [
        score * line.scale / math.sqrt(samples) for score, line in zip(claim.scores, lines, strict=True)
    ]
    rank = math.ceil(calibrated.coverage * (len(lines) + 1) - PRODUCT_ROUNDING)
    lower = sorted((m - r for m, r in zip(middles, reaches, strict=True)), reverse=True)
    upper = sorted(m + r for m, r in zip(middles, reaches, strict=True))
    if rank > len(lines):
        raise ConfigurationError(
            f"a coverage of {calibrated.coverage:g} takes {least_units(calibrated.coverage)} "
            f"pseudo-requests, the calibration has {len(lines)}"
        )
    middle = math.fsum(middles) / len(middles)
    unit = abs(middle) if measured_for(band).relative else 1.0
    return min(lower[rank - 1], middle - band.below * unit), max(upper[rank - 1], middle + band.above * unit)


def samples_of(measured: Evaluation, name: str) -> int:
    """Return how many samples a measurement rests on; 1 if that is not known."""
    found = measured.get(name)
    return max(1, found.samples or 1) if found is not None else 1


def out_of_range(
    calibration: Calibration,
    *,
    kind: RequestKind,
    rows: int,
    model: str,
    deletions: int,
    distance: float | None = None,
) -> str | None:
    """Say why a calibration does not hold for a request, or return None if it does.

    Args:
        calibration: The calibration.
        kind: The request's kind.
        rows: How many training rows it names.
        model: The last model of its lineage that was trained in full.
        deletions: How many deletions have been made of that model before this request.
        distance: How far the weights have come from it; None if that is not known.

    Returns:
        The reason, in plain words.
    """
    if model != calibration.model:
        return f"it is of model {calibration.model}; this one was trained in full as {model}"
    if calibration.deletions is not None and deletions > calibration.deletions:
        return f"it holds for {calibration.deletions} deletions on one model; there have been {deletions}"
    most = calibration.weight_distance
    if most is not None and distance is not None and distance > most:
        return f"it holds for a weight distance of {most:.4g} from the calibrated model; it is {distance:.4g}"
    if (found := calibration.of(kind)) is None:
        return f"it is for requests of {' and '.join(one.kind for one in calibration.kinds)}, not of {kind}"
    if not found.smallest <= rows <= found.largest:
        return (
            f"it holds for requests of {found.smallest} to {found.largest} training rows; this one has {rows}"
        )
    return None
