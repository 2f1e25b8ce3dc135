"""What a request's references allow, and what building them took."""

from tasks.checkout.checkout import Checkout
from tasks.computing.checkpoints import read_checkpoint_card
from tasks.computing.costs import read_cost
from tasks.references.estimating import COPIES
from tasks.references.plan import Plan
from tasks.references.retrained import references_of
from unlearn_core.audit.evidence import level
from unlearn_core.records.params import RunParams
from unlearn_core.records.reference import BuildCost, Holdings


def holdings(checkout: Checkout, run: RunParams) -> Holdings:
    """Count the finished models of the current request, and return what evidence they allow."""
    found = references_of(checkout, run)
    retrained, pairs = len(found.retrained), len(found.pairs)
    return Holdings(retrained=retrained, pairs=pairs, level=level(retrained, pairs))


def what_it_took(checkout: Checkout, plan: Plan, *, seconds: float, at_once: int) -> BuildCost:
    """Return what building a plan's missing models took.

    Args:
        checkout: The checkout, with all of it built.
        plan: The plan before building.
        seconds: From the start of the first training to the end of the last.
        at_once: How many ran at once.

    Returns:
        Time, memory and disk space, in the terms of the estimate.
    """
    folders = [checkout.reference(name) for name in plan.missing]
    weights = [read_checkpoint_card(folder).weights for folder in folders]
    # A node that was lost may have left a model, and no cost.
    costs = [cost for one in weights if (cost := read_cost(checkout, one)) is not None]
    size = sum(file.stat().st_size for folder in folders for file in folder.iterdir())
    return BuildCost(
        built=plan.missing,
        seconds=seconds,
        memory_mib=at_once * max((cost.peak_memory_mib for cost in costs), default=0.0),
        disk_mib=COPIES * size / 2**20,
    )
