"""Bands applied to a model: inside, outside on one side, or undecided.

With five or more retrained models, these are tests. *Inside* is shown by two one-sided t tests (TOST,
Schuirmann 1987), each at the level ``alpha``. *Outside* is a directional claim; Holm's correction over all
claims that could be made, two per band, keeps the chance of any false one at ``alpha``. With fewer retrained
models their spread is not known, and values are compared as they are.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from unlearn_core.audit.equivalence import Centre, centre, holm
from unlearn_core.records.evaluation import Evaluation
from unlearn_core.records.policy import Band, Finding, FindingOutcome


def find(
    bands: Sequence[Band], measured: Evaluation, references: Sequence[Evaluation], *, alpha: float
) -> tuple[Finding, ...]:
    """Apply bands to one model.

    Args:
        bands: The bands.
        measured: What was measured on the model.
        references: What was measured on each retrained model; without one, absolute bounds apply.
        alpha: The level of every test.

    Returns:
        One finding per band. A value that is missing or not finite, on the model or on a retrained one, is
        *not measured*.
    """
    tests = [_test(band, measured, references, alpha) for band in bands]
    # Both sides of every band are claims that could be made, so all of them count.
    claims = {
        (number, outside): p_value
        for number, test in enumerate(tests)
        for outside, p_value in (("below", test.p_below), ("above", test.p_above))
        if p_value is not None
    }
    shown = holm(claims, alpha)
    return tuple(
        test.finding(below=(number, "below") in shown, above=(number, "above") in shown)
        for number, test in enumerate(tests)
    )


@dataclass(frozen=True)
class _BandTest:
    """One band on one model: the bounds of equivalence, and the p-values of lying below and above it."""

    band: Band
    value: float | None
    lowest: float | None = None
    highest: float | None = None
    p_below: float | None = None
    p_above: float | None = None
    lacking: str | None = None

    def finding(self, *, below: bool, above: bool) -> Finding:
        """Return the finding, given whether the value is shown to lie below or above the band."""
        return Finding(
            measurement=self.band.measurement,
            claim=self.band.claim,
            value=self.value,
            lowest=self.lowest,
            highest=self.highest,
            outcome=self._outcome(below=below, above=above),
            lacking=self.lacking,
        )

    def _outcome(self, *, below: bool, above: bool) -> FindingOutcome:
        if self.value is None or self.p_below is None:
            return "not_measured"
        if below or above:
            return self.band.below_means if below else self.band.above_means
        over = self.lowest is None or self.value >= self.lowest
        return "inside" if over and (self.highest is None or self.value <= self.highest) else "undecided"


def _test(band: Band, measured: Evaluation, references: Sequence[Evaluation], alpha: float) -> _BandTest:
    """Compare a value with a band around the retrained models' mean, or with its absolute bounds."""
    value = finite(measured, band.measurement)
    if (lacking := measured.lack(band.measurement)) is not None and value is None:
        return _BandTest(band, None, lacking=lacking)
    if not references:
        return _absolute(band, value)
    values = [finite(reference, band.measurement) for reference in references]
    known = [entry for entry in values if entry is not None]
    if len(known) < len(values):
        return _BandTest(band, value)
    return _relative(band, value, centre(known), alpha)


def _absolute(band: Band, value: float | None) -> _BandTest:
    low = -math.inf if band.lowest is None else band.lowest
    high = math.inf if band.highest is None else band.highest
    if value is None:
        return _BandTest(band, None, band.lowest, band.highest)
    return _BandTest(band, value, band.lowest, band.highest, float(value >= low), float(value <= high))


def _relative(band: Band, value: float | None, middle: Centre, alpha: float) -> _BandTest:
    lowest, highest = middle.value - band.below, middle.value + band.above
    reach = middle.reach(alpha)
    if value is None:
        return _BandTest(band, None, lowest + reach, highest - reach)
    below, above = middle.p_value(lowest - value), middle.p_value(value - highest)
    return _BandTest(band, value, lowest + reach, highest - reach, below, above)


def finite(evaluation: Evaluation, name: str) -> float | None:
    """Return a measured value, or None if it was not taken or is not a finite number."""
    measured = evaluation.get(name)
    return measured.value if measured is not None and math.isfinite(measured.value) else None
