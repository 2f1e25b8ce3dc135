"""The retrained models and shadows that a policy asks for: existing ones, and those built now."""

from tasks.checkout.checkout import Checkout
from tasks.checkout.log import tell
from tasks.computing.checkpoints import read_checkpoint_card
from tasks.references.building import build_missing, refuse_failed
from tasks.references.estimating import estimate_building, refuse_full_disk, training_seconds
from tasks.references.plan import Plan, plan_references
from tasks.references.retrained import NOTHING, References, find_or_train, references_of
from tasks.references.trials import try_training
from unlearn_core.records.params import RunParams
from unlearn_core.records.policy import Policy


def gather_references(checkout: Checkout, run: RunParams, policy: Policy) -> References:
    """Return the models that a request is judged by; under ``build`` all of them exist afterwards.

    Args:
        checkout: The checkout, with its request split.
        run: Base seed and threads; no method has a reference's seed.
        policy: How many of each, and whether to build them.

    Returns:
        As many as the policy asks for; fewer, or none, if it only takes those built earlier.

    Raises:
        ConfigurationError: If any are to be built, and it is unknown how the parent was trained.
        PipelineError: If a training failed.
    """
    if policy.retrained == "none":
        return NOTHING
    if policy.retrained == "build":
        _build(checkout, plan_references(checkout, run, count=policy.references, shadows=policy.shadows))
    elif read_checkpoint_card(checkout.parent).recipe is None:
        return NOTHING
    return references_of(checkout, run).first(policy.references, policy.shadows)


def _build(checkout: Checkout, plan: Plan) -> None:
    """Announce what the training takes, and train what is missing: one model here, or several in parallel."""
    if len(plan.missing) == 1:
        wanted = plan.wanted[plan.missing[0]]
        trial = try_training(checkout, wanted.training)
        _announce(1, at_once=1, seconds=training_seconds(trial, wanted), memory_mib=trial.peak_memory_mib)
        find_or_train(checkout, wanted.training)
    elif plan.missing:
        estimate = estimate_building(checkout, plan)
        refuse_full_disk(estimate)
        _announce(
            estimate.missing,
            at_once=estimate.at_once,
            seconds=estimate.seconds,
            memory_mib=estimate.memory_mib,
        )
        done = build_missing(checkout, plan, at_once=estimate.at_once, memory_mib=estimate.memory_mib_each)
        refuse_failed(plan, done)


def _announce(models: int, *, at_once: int, seconds: float, memory_mib: float) -> None:
    tell(
        f"  models to train for comparison: {models}, {at_once} at a time, about {seconds:.0f} s and "
        f"{memory_mib:.0f} MiB"
    )
