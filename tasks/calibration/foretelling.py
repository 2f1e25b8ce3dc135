"""What a calibration would take: a few real steps are measured, and multiplied, as for references."""

from collections.abc import Sequence

from tasks.benchmarking.scratch import scratch
from tasks.calibration.planning import PlannedTraining
from tasks.checkout.checkout import Checkout, short
from tasks.data.datasets import read_card
from tasks.references.estimating import COPIES, estimate_building
from tasks.references.plan import Plan, Wanted
from unlearn_core.records.reference import BuildEstimate


def estimate_calibration(
    checkout: Checkout, planned: Sequence[PlannedTraining], *, at_most: int | None = None
) -> BuildEstimate:
    """Estimate what training the missing models takes; measuring them comes on top.

    Args:
        checkout: The checkout, with its parent.
        planned: The trainings; at least one.
        at_most: How many may run at once; by default as many as the machine holds.

    Returns:
        The estimate. Only the models of one round are on disk together.
    """
    missing = [one for one in planned if not one.is_measured]
    if not missing:
        return BuildEstimate(models=len(planned), finished=len(planned))
    (train,) = (entry.rows for entry in read_card(checkout.dataset).splits if entry.split == "train")
    wanted = {
        short(one.training.digest): Wanted(one.training, train - one.case.forget.rows, one.title)
        for one in missing
    }
    first = missing[0]
    with scratch(checkout, first.case, name=f"training-{short(first.training.digest)}") as place:
        found = estimate_building(place, Plan(wanted, tuple(wanted)), at_most=at_most)
    one_model = found.disk_mib / COPIES / len(wanted)
    return found.model_copy(
        update={
            "models": len(planned),
            "finished": len(planned) - len(missing),
            "disk_mib": one_model * found.at_once,
        }
    )
