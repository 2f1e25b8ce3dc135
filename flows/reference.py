"""Prefect flow ``reference``: the current request's retrained models and shadow pairs, in parallel."""

import time
from collections.abc import Callable

from prefect import flow, task

from flows.stages.pipeline import DELETION, PREPARATION, run_due
from tasks.checkout.checkout import Checkout
from tasks.computing.materials import read_split
from tasks.keys.signing import require_keys
from tasks.lifecycle.cut_short import closing_before
from tasks.orchestration.flow_runs import project_tags, tag_flow_run
from tasks.orchestration.task_runs import RETRIES
from tasks.references.building import build_missing, pin_references, refuse_failed, train_one
from tasks.references.estimating import estimate_building, refuse_full_disk
from tasks.references.plan import Plan, plan_references
from tasks.references.summary import holdings, what_it_took
from unlearn_core.records.reference import BuildCost, BuildEstimate, ReferenceReport

STAGES = {**{name: PREPARATION[name] for name in ("code", "dataset", "parent")}, "split": DELETION["split"]}
"""What references are made from."""

Agree = Callable[[BuildEstimate], bool]
"""Is shown the estimate before anything is trained; returns whether to go on."""

_train = task(name="train", task_run_name="train {title}")(train_one)
_pin = task(name="pin", task_run_name="pin", **RETRIES)(pin_references)


@closing_before
@flow(
    name="reference", flow_run_name="{checkout.params.registry.model}: reference", validate_parameters=False
)
def reference(
    checkout: Checkout, count: int, shadows: int, at_once: int, memory_mib: float = 0.0
) -> BuildCost:
    """Build what is missing, and pin everything that exists.

    Args:
        checkout: The checkout, with its request split. Its root is stored, so it must name nobody.
        count: How many retrained models to have in all.
        shadows: How many shadow pairs to have in all.
        at_once: How many trainings run at once.
        memory_mib: What each takes; 0 if that is not known.

    Returns:
        What it took.
    """
    tag_flow_run(project_tags(checkout))
    plan = plan_references(checkout, checkout.params.run, count=count, shadows=shadows)
    started = time.perf_counter()
    done = build_missing(checkout, plan, at_once=at_once, memory_mib=memory_mib, train=_train)
    seconds = time.perf_counter() - started
    _pin(checkout, plan)
    refuse_failed(plan, done)
    return what_it_took(checkout, plan, seconds=seconds, at_once=at_once)


def make_references(
    checkout: Checkout, *, count: int | None, shadows: int | None, agree: Agree, at_most: int | None = None
) -> ReferenceReport:
    """Prepare the request, plan, estimate, ask, and let the flow build what is missing.

    Args:
        checkout: The checkout; the caller holds its lock. ``params.yaml`` names the request.
        count: How many retrained models to have in all; by default as ``params.yaml`` says.
        shadows: How many shadow pairs to have in all; by default as ``params.yaml`` says.
        agree: Is shown the estimate; if it returns False, nothing is trained or pinned.
        at_most: How many trainings may run at once; by default as many as fit on the machine.

    Returns:
        What was estimated, what it took, and what there is now.
    """
    require_keys()
    for stage, function in STAGES.items():
        run_due(checkout, stage, function)
    run, policy = checkout.params.run, checkout.params.policy
    asked = {
        "count": policy.references if count is None else count,
        "shadows": policy.shadows if shadows is None else shadows,
    }
    plan = plan_references(checkout, run, **asked)
    estimate = estimate_building(checkout, plan, at_most=at_most)
    took = _build(checkout, plan, estimate, asked) if agree(estimate) else None
    request, there = read_split(checkout).request, holdings(checkout, run)
    return ReferenceReport(request=request, estimate=estimate, took=took, holdings=there)


def _build(
    checkout: Checkout, plan: Plan, estimate: BuildEstimate, asked: dict[str, int]
) -> BuildCost | None:
    """Build and pin; if nothing is missing, start no flow."""
    if not plan.missing:
        pin_references(checkout, plan)
        return None
    refuse_full_disk(estimate)
    return reference(checkout, **asked, at_once=estimate.at_once, memory_mib=estimate.memory_mib_each)
