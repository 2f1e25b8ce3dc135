"""``lethe benchmark --adversaries``: models that only pretend to have forgotten, before the gate."""

from dataclasses import replace

from flows.stages.climbing import Baseline, judge_model, try_method
from flows.stages.pipeline import DELETION, PREPARATION, run_due
from flows.stages.steps import PLAIN, Steps
from flows.stages.unlearn import prepare_ladder
from tasks.benchmarking.adversaries import (
    Challenger,
    challenge_row,
    exposed_attempt,
    kept_rung,
    seeded,
)
from tasks.checkout.checkout import Checkout
from tasks.checkout.files import read_record, write_record
from tasks.checkout.progress import announced
from tasks.computing.costs import read_cost
from tasks.computing.materials import read_split
from tasks.computing.unlearning import Attempted
from unlearn_core.adversaries.suite import adversaries_for
from unlearn_core.errors import UnlearningError
from unlearn_core.method import Method
from unlearn_core.records.aim import Aim
from unlearn_core.records.challenge import ChallengeReport, ChallengeRow
from unlearn_core.records.deletion import Rung
from unlearn_core.records.params import RunParams


def challenge_gate(checkout: Checkout, *, variants: int = 1) -> ChallengeReport:
    """Let every adversary pretend to serve the current request, and let the gate judge what it made.

    Nothing is served, registered or logged to MLflow. What was made and measured before is not made again.

    Args:
        checkout: The checkout; the caller holds its lock. ``params.yaml`` names the request.
        variants: How many seeds of each adversary.

    Returns:
        The verdicts, beside those on the original and on the retrained models.
    """
    for stage, function in {**PREPARATION, "split": DELETION["split"]}.items():
        run_due(checkout, stage, function)
    with announced("the original and the retrained models"):
        baseline = prepare_ladder(checkout, PLAIN)
    split = read_split(checkout)
    found = adversaries_for(split.method_scope).items()
    challengers = [Challenger(name, one, method) for name, method in found for one in range(variants)]
    rows = []
    for index, challenger in enumerate(challengers, 1):
        with announced(f"[{index}/{len(challengers)}] {challenger.title}"):
            rows.append(_challenge(baseline, challenger))
    return ChallengeReport(
        request=split.request,
        policy=baseline.policy.digest,
        level=judge_model(baseline, baseline.original).level,
        variants=variants,
        models=_models(baseline),
        adversaries=tuple(rows),
    )


def _models(baseline: Baseline) -> tuple[ChallengeRow, ...]:
    """Return the rows of the original and of the retrained models."""
    original = challenge_row(baseline.original, judge_model(baseline, baseline.original), model="original")
    retrained = (
        challenge_row(one, judge_model(baseline, one), model="retrained", variant=index)
        for index, one in enumerate(baseline.retrained)
    )
    return original, *retrained


def _challenge(baseline: Baseline, challenger: Challenger) -> ChallengeRow:
    """Make an adversary's model and judge it; what is kept of it is only judged."""
    checkout = baseline.checkout
    measured = (baseline.original, *baseline.retrained)
    path = kept_rung(checkout, challenger, baseline.run, measured)
    if not path.is_file():
        try:
            write_record(path, try_method(baseline, challenger.method, _steps_of(challenger)))
        except UnlearningError as error:
            return ChallengeRow(model=challenger.name, variant=challenger.variant, failed=str(error))
    rung = read_record(path, Rung)
    cost = read_cost(checkout, rung.unlearning.weights)
    return challenge_row(
        rung.evaluation,
        judge_model(baseline, rung.evaluation),
        model=challenger.name,
        variant=challenger.variant,
        method=rung.unlearning.method,
        seconds=cost and cost.seconds,
    )


def _steps_of(challenger: Challenger) -> Steps:
    """Return the steps by which an adversary is tried: with its own seed, and without a record in MLflow."""

    def try_it(
        checkout: Checkout,
        method: Method,
        run: RunParams,
        *,
        max_unsupported_share: float,
        aim: Aim | None = None,  # noqa: ARG001, an adversary has aims of its own
    ) -> Attempted:
        own = seeded(run, challenger)
        return exposed_attempt(checkout, method, own, max_unsupported_share=max_unsupported_share)

    return replace(PLAIN, attempt=try_it, log_rung=lambda *_rung: None)
