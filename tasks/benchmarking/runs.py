"""One run: a method in a case's folder, measured beside the retrained model. A failure is a row too."""

import time
from dataclasses import dataclass
from pathlib import Path

from tasks.benchmarking.cases import BenchmarkCase
from tasks.checkout.checkout import Checkout
from tasks.computing.checkpoints import read_checkpoint_card
from tasks.computing.costs import read_cost
from tasks.computing.unlearning import attempt
from tasks.measuring.evaluation import assess
from tasks.references.retrained import References, find_or_train
from unlearn_core.audit.policy import judge
from unlearn_core.errors import LetheError, UnlearningError
from unlearn_core.method import Method, Need
from unlearn_core.records.benchmark import BenchmarkRow
from unlearn_core.records.evaluation import Cost, Evaluation
from unlearn_core.records.params import RunParams
from unlearn_core.records.policy import Policy
from unlearn_core.records.reference import Training

ORIGINAL = "original"
"""The unchanged parent, listed among the methods: what forgetting nothing looks like."""

BREAKS = (LetheError, RuntimeError, ValueError, ArithmeticError, MemoryError)
"""The errors that a method may end with; any other is a bug in Lethe."""


@dataclass(frozen=True)
class CaseInputs:
    """What every method of a case is compared with.

    Attributes:
        place: The case's folder.
        case: What is forgotten, and with which seed.
        run: Seed and threads.
        policy: The policy to judge by.
        reference: The retrained model's folder.
        original: The parent's evaluation.
        retrained: The retrained model's evaluation.
    """

    place: Checkout
    case: BenchmarkCase
    run: RunParams
    policy: Policy
    reference: Path
    original: Evaluation
    retrained: Evaluation


def set_up(place: Checkout, case: BenchmarkCase, wanted: Training) -> CaseInputs:
    """Find or train the case's retrained model, and measure it and the parent.

    Args:
        place: The case's folder.
        case: The case.
        wanted: The retrained model.

    Returns:
        The inputs of the case.
    """
    run, policy = place.params.run, place.params.policy
    reference = find_or_train(place, wanted)
    original, retrained = (
        assess(place, folder, run, references=References((reference,), ()))
        for folder in (place.parent, reference)
    )
    return CaseInputs(place, case, run, policy, reference, original, retrained)


def run_method(inputs: CaseInputs, method: Method | None, moments: Cost) -> tuple[BenchmarkRow, bool]:
    """Unlearn with a method, then measure and judge the candidate.

    Args:
        inputs: The case.
        method: The method; None measures the original.
        moments: What the second moments cost, for the methods that need them.

    Returns:
        The row, and whether another attempt would give the same one. It would not if the machine or a
        library failed, out of memory for example.
    """
    started = time.perf_counter()
    try:
        row = _original(inputs) if method is None else _unlearned(inputs, method, moments)
    except BREAKS as error:
        name = ORIGINAL if method is None else method.name
        return _failed(inputs, name, error), isinstance(error, UnlearningError)
    return row.model_copy(update={"took_seconds": time.perf_counter() - started}), True


def _original(inputs: CaseInputs) -> BenchmarkRow:
    return _row(inputs, ORIGINAL, inputs.original)


def _unlearned(inputs: CaseInputs, method: Method, moments: Cost) -> BenchmarkRow:
    share = inputs.policy.max_unsupported_share
    tried = attempt(inputs.place, method, inputs.run, max_unsupported_share=share)
    against = References((inputs.reference,), ())
    measured = assess(inputs.place, tried.checkpoint, inputs.run, references=against, method=method)
    cost = Cost.total((tried.cost, moments)) if Need.MOMENTS in method.needs else tried.cost
    row = _row(inputs, method.name, measured)
    told = {"seconds": cost.seconds, "peak_memory_mib": cost.peak_memory_mib}
    return row.model_copy(update={"settings": tried.record.method, **told})


def _row(inputs: CaseInputs, name: str, measured: Evaluation) -> BenchmarkRow:
    """Judge a model, and put its measurements beside the retrained model's."""
    scope = inputs.case.split.method_scope
    verdict = judge(inputs.policy, scope, measured, original=inputs.original, references=(inputs.retrained,))
    retraining = read_cost(inputs.place, inputs.retrained.model)
    return BenchmarkRow(
        forget=inputs.case.forget,
        seed=inputs.case.seed,
        method=name,
        outcome=verdict.verdict,
        removed=verdict.removal,
        why=verdict.reason,
        reference=inputs.retrained.model,
        values=_values(measured),
        retrained=_values(inputs.retrained),
        retraining_seconds=retraining and retraining.seconds,
    )


def _failed(inputs: CaseInputs, name: str, error: BaseException) -> BenchmarkRow:
    why = str(error) or type(error).__name__
    return BenchmarkRow(
        forget=inputs.case.forget,
        seed=inputs.case.seed,
        method=name,
        outcome="failed",
        why=why,
        reference=read_checkpoint_card(inputs.reference).weights,
    )


def _values(measured: Evaluation) -> dict[str, float]:
    """Return measurements by name, except those of single classes."""
    return {entry.name: entry.value for entry in measured.measurements if ".class." not in entry.name}
