"""From measured pseudo-requests to bands, and what these pass and tell apart."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import get_args

from unlearn_core.audit.calibrated import measured_for
from unlearn_core.audit.policy import judge
from unlearn_core.calibrating import calibrate_kind, without_fold
from unlearn_core.intervals import proportion
from unlearn_core.kinds import CalibrationKind, scope_kind
from unlearn_core.records.calibration import (
    CalibratedKind,
    CalibrationPower,
    PseudoRequest,
    Tally,
)
from unlearn_core.records.evaluation import Evaluation
from unlearn_core.records.policy import Band, Failing, Policy, Verdict

Adversaries = Mapping[int, Sequence[Evaluation]]
"""What adversaries made of pseudo-requests, by the place of these."""


@dataclass(frozen=True)
class MeasuredKind:
    """All pseudo-requests of one kind, and the policy that they are judged by.

    Attributes:
        pseudo_requests: The pseudo-requests.
        policy: Its bands are calibrated.
        coverage: What they are to cover.
    """

    pseudo_requests: Sequence[PseudoRequest]
    policy: Policy
    coverage: float

    @property
    def kind(self) -> CalibrationKind:
        """What the pseudo-requests name."""
        return self.pseudo_requests[0].kind

    @cached_property
    def left_out(self) -> dict[int, CalibratedKind]:
        """The bands made without a fold, by the fold."""
        folds, bands = sorted({one.fold for one in self.pseudo_requests}), self._asked
        return {
            fold: calibrate_kind(without_fold(self.pseudo_requests, fold)[1], bands, coverage=self.coverage)
            for fold in folds
        }

    @property
    def _asked(self) -> tuple[Band, ...]:
        return self.policy.bands_of(scope_kind(self.kind))

    @cached_property
    def bands(self) -> tuple[Band, ...]:
        """The policy's bands that enough pseudo-requests give whichever fold is left out."""
        made = [
            {(claim.claim, one.measurement) for claim in kind.claims for one in claim.measurements}
            for kind in self.left_out.values()
        ]
        return tuple(
            band
            for band in self._asked
            if all((band.claim, measured_for(band).measurement) in known for known in made)
        )

    def judged(self, one: PseudoRequest, candidate: Evaluation) -> Verdict:
        """Judge a model by the bands that its fold was left out of."""
        scope = scope_kind(self.kind)
        return judge(
            self.policy.model_copy(update={scope: self.bands}),
            scope,
            candidate,
            original=one.original,
            references=(),
            calibrated=self.left_out[one.fold],
        )

    def calibrated(self, adversaries: Adversaries) -> CalibratedKind:
        """Return the bands that all pseudo-requests give, with what those left out pass and tell apart.

        Args:
            adversaries: Their evaluations.

        Returns:
            The bands; one that too few pseudo-requests give is left out.
        """
        retrained = _tally(self.judged(one, one.retrained) for one in self.pseudo_requests)
        originals = _tally(self.judged(one, one.original) for one in self.pseudo_requests)
        pretended = _tally(
            self.judged(self.pseudo_requests[place], one)
            for place, made in adversaries.items()
            for one in made
        )
        share = proportion(retrained.inside, retrained.judged)
        power = CalibrationPower(
            retrained=retrained,
            retrained_interval=(share.low or 0.0, 1.0 if share.high is None else share.high),
            originals=originals,
            adversaries=pretended,
        )
        found = calibrate_kind(self.pseudo_requests, self.bands, coverage=self.coverage)
        return found.model_copy(update={"power": power})


def _tally(verdicts: Iterable[Verdict]) -> Tally:
    inside = [is_inside(verdict) for verdict in verdicts]
    return Tally(judged=len(inside), inside=sum(inside))


def is_inside(verdict: Verdict) -> bool:
    """Tell whether no measurement of either claim lies outside of its band, or is missing."""
    outside = {*get_args(Failing), "undecided", "not_measured"}
    return bool(verdict.findings) and not any(one.outcome in outside for one in verdict.findings)
