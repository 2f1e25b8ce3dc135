"""From pseudo-requests to bands: each measurement of a retrained model is predicted by one of the original.

Which one is chosen beforehand, here, and not from the data. The prediction is a ridge regression with the
weight of one pseudo-request that shows no relation. Samples count: a share of few of them scatters more.
"""

import math
from collections.abc import Mapping, Sequence
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from unlearn_core.audit.calibrated import least_units, measured_for, samples_of
from unlearn_core.errors import UsageError
from unlearn_core.records.calibration import (
    CalibratedClaim,
    CalibratedKind,
    CalibratedMeasurement,
    PredictionLine,
    PseudoRequest,
)
from unlearn_core.records.policy import Band, ClaimName

RIDGE = 1.0
"""The weight of no relation, in pseudo-requests."""

FLOOR = 0.1
"""The least scatter that is believed, as a share of the policy's distance: a few equal values show none."""

LEAST_POINTS = 4
"""The fewest pseudo-requests that a line is fitted to."""

_HARD = "loss.train.forget"
FEATURES: Mapping[str, Mapping[str, str]] = {
    "classes": {
        "relearn.steps": "probe.accuracy",
        "relearn.new_head.steps": "probe.accuracy",
        "neighbour_leakage.original.train.forget": "confidence.entropy.audit.forget",
    },
    "samples": {
        "accuracy.train.forget": _HARD,
        "confidence.true_class.train.forget": _HARD,
        "confidence.entropy.train.forget": "confidence.entropy.train.forget",
        "mia.loss_auc": _HARD,
    },
}
"""What of the original predicts a measurement of a retrained model; by default the same measurement."""

_Array = NDArray[np.float64]


def calibrate_kind(
    pseudo_requests: Sequence[PseudoRequest], bands: Sequence[Band], *, coverage: float
) -> CalibratedKind:
    """Fit the predictions, and score each pseudo-request by those that its fold was left out of.

    Args:
        pseudo_requests: All of one kind.
        bands: The policy's bands for that kind.
        coverage: What the bands are to cover.

    Returns:
        The bands. A measurement that too few pseudo-requests have is left out.

    Raises:
        UsageError: If there are too few; the message says how many are missing.
    """
    kind = pseudo_requests[0].kind
    folds = tuple(one.fold for one in pseudo_requests)
    if len(folds) < (least := least_units(coverage)):
        raise UsageError(
            f"a coverage of {coverage:g} takes {least} pseudo-requests of {kind}, there are "
            f"{len(folds)}: {least - len(folds)} are missing; ask for more, or for a lower --coverage"
        )
    fitted = [_Fitted(band, pseudo_requests) for band in bands]
    whole = [one for one in fitted if one.is_whole]
    if not whole:
        raise UsageError(
            f"no measurement was taken on {LEAST_POINTS} pseudo-requests of {kind} besides those of one "
            "training; ask for more with --count"
        )
    rows = [one.rows for one in pseudo_requests]
    return CalibratedKind(
        kind=kind,
        coverage=coverage,
        smallest=min(rows),
        largest=max(rows),
        folds=folds,
        claims=tuple(
            CalibratedClaim(
                claim=claim,
                measurements=tuple(one.record for one in whole if one.band.claim == claim),
                scores=_scores([one for one in whole if one.band.claim == claim]),
            )
            for claim in get_args(ClaimName)
            if any(one.band.claim == claim for one in whole)
        ),
    )


def without_fold(
    pseudo_requests: Sequence[PseudoRequest], fold: int
) -> tuple[list[PseudoRequest], list[PseudoRequest]]:
    """Return the pseudo-requests of a fold, and the others with their folds counted from 0."""
    own = [one for one in pseudo_requests if one.fold == fold]
    others = [one for one in pseudo_requests if one.fold != fold]
    folds = sorted({one.fold for one in others})
    return own, [one.model_copy(update={"fold": folds.index(one.fold)}) for one in others]


def _scores(fitted: "Sequence[_Fitted]") -> tuple[float, ...]:
    """Return the largest standardised residual of each pseudo-request, over all measurements."""
    return tuple(np.max([one.residuals for one in fitted], axis=0).tolist())


class _Fitted:
    """One band on all pseudo-requests: a line per fold left out."""

    def __init__(self, band: Band, pseudo_requests: Sequence[PseudoRequest]) -> None:
        """Fit the lines."""
        self.band, measured = band, measured_for(band)
        self.name = name = measured.measurement
        scope = "classes" if pseudo_requests[0].kind == "classes" else "samples"
        self.feature = FEATURES[scope].get(name, name)
        self._folds = np.array([one.fold for one in pseudo_requests])
        self._given = np.array([_number(one.original.find(self.feature)) for one in pseudo_requests])
        self._shown = np.array([_number(one.retrained.find(name)) for one in pseudo_requests])
        self._samples = np.array([float(samples_of(one.retrained, name)) for one in pseudo_requests])
        self._used = self._samples >= band.least_samples
        known = np.isfinite(self._given) & np.isfinite(self._shown)
        folds = range(self._folds.max() + 1)
        enough = all((self._used & (self._folds != fold)).sum() >= LEAST_POINTS for fold in folds)
        self.is_whole = bool(known[self._used].all()) and enough
        self.lines: tuple[PredictionLine, ...] = (
            tuple(self._line(fold, relative=measured.relative) for fold in folds) if self.is_whole else ()
        )

    def _line(self, fold: int, *, relative: bool) -> PredictionLine:
        """Fit to all folds but one."""
        chosen = self._used & (self._folds != fold)
        given, shown, samples = self._given[chosen], self._shown[chosen], self._samples[chosen]
        level, slope = _ridge(given, shown, samples)
        freedom = max(1, len(shown) - 2)
        off = samples * (shown - level - slope * given) ** 2
        width = min(self.band.below, self.band.above) * (abs(float(shown.mean())) if relative else 1.0)
        # For a measurement on one sample, like the residuals.
        least = max(FLOOR * width, 1e-12) * math.sqrt(float(np.median(samples)))
        return PredictionLine(
            level=level, slope=slope, scale=max(math.sqrt(float(off.sum()) / freedom), least)
        )

    @property
    def residuals(self) -> _Array:
        """``[pseudo-requests]``, in units of the scatter; 0 where the band does not apply."""
        lines = [self.lines[fold] for fold in self._folds]
        expected = np.array([line.level for line in lines]) + self._given * [line.slope for line in lines]
        reach = np.array([line.scale for line in lines]) / np.sqrt(self._samples)
        return np.where(self._used, np.abs(self._shown - expected) / reach, 0.0)

    @property
    def record(self) -> CalibratedMeasurement:
        """The lines as a record."""
        return CalibratedMeasurement(measurement=self.name, feature=self.feature, lines=self.lines)


def _number(value: float | None) -> float:
    return math.nan if value is None else value


def _ridge(given: _Array, shown: _Array, samples: _Array) -> tuple[float, float]:
    """Return level and slope of a ridge regression, weighted by samples, on the standardised feature."""
    weights = samples / samples.mean()
    middle, mean = np.average(given, weights=weights), np.average(shown, weights=weights)
    spread = float(np.average((given - middle) ** 2, weights=weights))
    if spread < 1e-18:
        return float(mean), 0.0
    together = float(np.average((given - middle) * (shown - mean), weights=weights))
    slope = together / spread * len(given) / (len(given) + RIDGE)
    return float(mean - slope * middle), float(slope)
