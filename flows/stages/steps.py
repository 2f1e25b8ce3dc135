"""The signatures of the ladder's steps: plain functions, or tasks of a flow."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tasks.checkout.checkout import Checkout
from tasks.computing.unlearning import Attempted, attempt
from tasks.measuring.drift import measure_drift
from tasks.measuring.earlier import measure_earlier
from tasks.measuring.evaluation import assess
from tasks.references.gathering import gather_references
from tasks.references.retrained import References
from tasks.tracking.auditing import log_ladder, log_rung
from unlearn_core.method import Method
from unlearn_core.records.aim import Aim
from unlearn_core.records.deletion import DeletionRecord, Rung
from unlearn_core.records.drift import Drift
from unlearn_core.records.earlier import Knowledge
from unlearn_core.records.evaluation import Evaluation
from unlearn_core.records.params import RunParams
from unlearn_core.records.policy import Policy
from unlearn_core.records.request import RequestId


class Gather(Protocol):
    """Gathers the models to compare with."""

    def __call__(self, checkout: Checkout, run: RunParams, policy: Policy) -> References:  # noqa: D102
        ...


class TryMethod(Protocol):
    """Unlearns with one method."""

    def __call__(  # noqa: D102
        self,
        checkout: Checkout,
        method: Method,
        run: RunParams,
        *,
        max_unsupported_share: float,
        aim: Aim | None = ...,
    ) -> Attempted: ...


class Assess(Protocol):
    """Measures a model."""

    def __call__(  # noqa: D102
        self,
        checkout: Checkout,
        checkpoint: Path,
        run: RunParams,
        *,
        references: References = ...,
        method: Method | None = None,
    ) -> Evaluation: ...


class MeasureDrift(Protocol):
    """Measures how far a candidate has drifted from the last model that was trained in full."""

    def __call__(self, checkout: Checkout, candidate: Path, run: RunParams) -> Drift:  # noqa: D102
        ...


class MeasureEarlier(Protocol):
    """Measures how well a model knows what earlier requests forgot."""

    def __call__(  # noqa: D102
        self, checkout: Checkout, checkpoint: Path, run: RunParams
    ) -> dict[RequestId, Knowledge]: ...


class LogRung(Protocol):
    """Logs one attempt to the request's run."""

    def __call__(  # noqa: D102
        self, checkout: Checkout, rung: Rung, run: RunParams, reference: Path | None
    ) -> None: ...


class LogLadder(Protocol):
    """Logs all attempts to the request's run."""

    def __call__(self, checkout: Checkout, record: DeletionRecord) -> None:  # noqa: D102
        ...


@dataclass(frozen=True)
class Steps:
    """What climbing the ladder consists of."""

    gather: Gather = gather_references
    attempt: TryMethod = attempt
    assess: Assess = assess
    drift: MeasureDrift = measure_drift
    earlier: MeasureEarlier = measure_earlier
    log_rung: LogRung = log_rung
    log_ladder: LogLadder = log_ladder


PLAIN = Steps()
"""Plain functions; a flow uses tasks instead."""
