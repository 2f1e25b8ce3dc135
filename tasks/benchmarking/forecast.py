"""What a comparison would still take, from a few real steps of training and earlier runs of methods."""

from collections.abc import Sequence
from statistics import fmean

from tasks.benchmarking.plan import Planned
from tasks.benchmarking.scratch import scratch
from tasks.checkout.checkout import Checkout
from tasks.computing.checkpoints import read_checkpoint_card
from tasks.computing.costs import read_cost
from tasks.references.retrained import find_trained
from tasks.references.trials import retraining_seconds
from unlearn_core.records.benchmark import BenchmarkRow, Forecast


def forecast(checkout: Checkout, plan: Sequence[Planned]) -> Forecast:
    """Count what exists and what is missing, and estimate the time for the rest.

    Args:
        checkout: The checkout.
        plan: The cases; at least one.

    Returns:
        The forecast. A method without a row counts as one retraining, unless it ran in another case.
    """
    references = {one.reference.digest: one for one in plan}
    there = {digest: find_trained(checkout, one.reference) for digest, one in references.items()}
    rows = [row for one in plan for row in one.rows.values()]
    missing = [name for one in plan for name in one.missing]
    counted = Forecast(
        cases=len(plan),
        references=len(references),
        references_there=sum(folder is not None for folder in there.values()),
        runs=len(rows) + len(missing),
        runs_there=len(rows),
    )
    if not counted.missing:
        return counted
    retraining = _retraining(checkout, plan)
    seconds = retraining * (counted.references - counted.references_there)
    seconds += sum(_run_seconds(name, rows, retraining) for name in missing)
    return counted.model_copy(update={"seconds": seconds})


def _retraining(checkout: Checkout, plan: Sequence[Planned]) -> float:
    """Return what retraining takes, from an earlier retrained model, else from a few steps."""
    for one in plan:
        if (folder := find_trained(checkout, one.reference)) is not None:
            cost = read_cost(checkout, read_checkpoint_card(folder).weights)
            if cost is not None:
                return cost.seconds
    with scratch(checkout, plan[0].case) as place:
        return retraining_seconds(place)


def _run_seconds(method: str, rows: Sequence[BenchmarkRow], otherwise: float) -> float:
    """Return what a run of a method took in other cases, on average."""
    took = [row.took_seconds for row in rows if row.method == method and row.took_seconds]
    return fmean(took) if took else otherwise
