"""Climbing the ladder: one method after another, each model measured and judged, until one is accepted."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flows.stages.steps import Steps
from tasks.checkout.checkout import Checkout
from tasks.checkout.files import write_record
from tasks.checkout.log import tell
from tasks.computing.materials import read_split
from tasks.references.retrained import References
from unlearn_core.audit.acceptance import accept, overdrawn
from unlearn_core.audit.earlier import Earlier, relapses
from unlearn_core.audit.policy import judge
from unlearn_core.errors import UnlearningError
from unlearn_core.method import Method
from unlearn_core.own_names import LAST_RESORT
from unlearn_core.records.aim import Aim
from unlearn_core.records.calibration import Calibration
from unlearn_core.records.deletion import LeftOut, Rung
from unlearn_core.records.earlier import AskedAgain
from unlearn_core.records.evaluation import Evaluation
from unlearn_core.records.params import RunParams
from unlearn_core.records.policy import Policy, Verdict


@dataclass(frozen=True)
class Baseline:
    """What every rung is compared with."""

    checkout: Checkout
    run: RunParams
    policy: Policy
    references: References
    original: Evaluation
    retrained: tuple[Evaluation, ...]
    earlier: Earlier = field(default_factory=Earlier)
    aim: Aim | None = None
    calibration: Calibration | None = None
    not_calibrated: str | None = None


def judge_model(baseline: Baseline, candidate: Evaluation) -> Verdict:
    """Let the gate judge a model."""
    split, calibration = read_split(baseline.checkout), baseline.calibration
    return judge(
        baseline.policy,
        split.method_scope,
        candidate,
        original=baseline.original,
        references=baseline.retrained,
        calibrated=calibration and calibration.of(split.scope_kind),
    )


def try_method(baseline: Baseline, method: Method, steps: Steps) -> Rung:
    """Unlearn with one method, measure, judge, and record everything."""
    share = baseline.policy.max_unsupported_share
    tried = steps.attempt(
        baseline.checkout, method, baseline.run, max_unsupported_share=share, aim=baseline.aim
    )
    evaluation, verdict, asked = measure_and_judge(baseline, tried.checkpoint, steps, method=method)
    accepted, why = accept(baseline.policy, verdict, is_retrain=method.name == LAST_RESORT)
    if (back := relapses(asked, band=baseline.policy.relapse)) is not None:
        accepted, why = False, f"{back} {why}"
    rung = Rung(
        unlearning=tried.record,
        evaluation=evaluation,
        verdict=verdict,
        accepted=accepted,
        why=why,
        earlier=asked,
    )
    write_record(baseline.checkout.cost(tried.record.weights), tried.cost)
    steps.log_rung(baseline.checkout, rung, baseline.run, baseline.references.chosen)
    tell(f"  {method.name}: {rung.in_words}. {why}")
    return rung


def measure_and_judge(
    baseline: Baseline, checkpoint: Path, steps: Steps, *, method: Method | None
) -> tuple[Evaluation, Verdict, tuple[AskedAgain, ...]]:
    """Measure a model, let the gate judge it, and ask it for what earlier requests forgot.

    Args:
        baseline: What it is compared with.
        checkpoint: Its folder.
        steps: The functions or tasks to call.
        method: What made it; None if that is not known.

    Returns:
        What was measured, the verdict, and the earlier requests, asked again.
    """
    evaluation = steps.assess(
        baseline.checkout, checkpoint, baseline.run, references=baseline.references, method=method
    )
    return evaluation, judge_model(baseline, evaluation), _ask_again(baseline, checkpoint, steps)


def _ask_again(baseline: Baseline, checkpoint: Path, steps: Steps) -> tuple[AskedAgain, ...]:
    """Ask a candidate for what earlier requests forgot, as far as anything is kept to ask with."""
    earlier, checkout = baseline.earlier, baseline.checkout
    known = steps.earlier(checkout, checkpoint, baseline.run) if earlier.can_be_asked else {}
    return earlier.ask(known, band=baseline.policy.relapse)


@dataclass
class Climb:
    """What was tried so far, in the form of ``DeletionRecord``, and what is due next.

    A model that behaves, but has remains inside, is set aside while there are other methods. If none of them
    shows both claims, the first such model is accepted before anything is retrained.
    """

    baseline: Baseline
    steps: Steps
    tried: tuple[str, ...] = ()
    rungs: tuple[Rung, ...] = ()
    failed: tuple[LeftOut, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    _set_aside: list[Rung] = field(default_factory=list[Rung])
    _overdrawn: str | None = None

    def due(self, methods: Iterable[Method]) -> Iterator[Method]:
        """Yield methods until a model is accepted; once the drift budget is overdrawn, only retrain."""
        for method in methods:
            if any(rung.accepted for rung in self.rungs):
                return
            if self._set_aside and method.name == LAST_RESORT:
                return
            if self._overdrawn is not None and method.name != LAST_RESORT:
                self.left_out += (LeftOut(method=method.name, why=self._overdrawn),)
                continue
            yield method

    @contextmanager
    def trying(self, method: Method) -> Iterator[None]:
        """Record that a method is tried, and why it failed if it does."""
        self.tried += (method.name,)
        try:
            yield
        except UnlearningError as error:
            self.failed += (LeftOut(method=method.name, why=str(error)),)

    def add(self, rung: Rung) -> None:
        """Add a rung; an accepted model must keep within the drift budget and have nothing left inside."""
        rung, self._overdrawn = _within_budget(self.baseline, rung, self.steps)
        if rung.accepted and rung.verdict.has_remains and rung.unlearning.name != LAST_RESORT:
            self._set_aside.append(rung)
            rung = _changed(rung, accepted=False, drift=None)
        self.rungs += (rung,)

    def settle(self) -> None:
        """If no model was accepted, accept the first that was set aside."""
        if not self._set_aside or any(rung.accepted for rung in self.rungs):
            return
        settled = self._set_aside[0]
        name = settled.unlearning.name
        tell(f"  {name} is taken: it behaves, and no method that was tried showed both claims")
        self.rungs = tuple(settled if rung.unlearning.name == name else rung for rung in self.rungs)


def _within_budget(baseline: Baseline, rung: Rung, steps: Steps) -> tuple[Rung, str | None]:
    """Measure an accepted model's drift; if it exceeds the budget, reject the model and return why."""
    if not rung.accepted:
        return rung, None
    drift = steps.drift(baseline.checkout, baseline.checkout.attempt(rung.unlearning.name), baseline.run)
    if (why := overdrawn(baseline.policy.drift, drift)) is None:
        return _changed(rung, drift=drift), None
    tell(f"  {rung.unlearning.name}: {why}")
    return _changed(rung, drift=drift, accepted=False, why=why), why


def _changed(rung: Rung, **changes: Any) -> Rung:
    return Rung(**{**dict(rung), **changes})
