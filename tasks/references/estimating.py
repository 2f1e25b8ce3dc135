"""What training the missing models would take: a few real steps are measured, and multiplied."""

from tasks.checkout.checkout import Checkout
from tasks.computing.machine import disk_free_mib
from tasks.references.building import job_of, open_trainers
from tasks.references.plan import Plan, Wanted
from tasks.references.trials import TRIAL_STEPS, steps_of
from tasks.running.pool import JobPool, JobResult, side_by_side
from tasks.running.runner import needs_of
from unlearn_core.errors import PipelineError, SetupError
from unlearn_core.records.reference import BuildEstimate, Job, Training, TrialTraining
from unlearn_core.scheduling import makespan

COPIES = 2
"""The copies of every model on disk: its folder, and DVC's cache."""


def estimate_building(checkout: Checkout, plan: Plan, *, at_most: int | None = None) -> BuildEstimate:
    """Estimate what building all missing models would take.

    The steps are taken in separate processes: once alone, for the memory; then by as many at once as there
    will be, since they slow one another down.

    Args:
        checkout: The checkout.
        plan: What is wanted.
        at_most: How many trainings may run at once; by default as many as the machine or the cluster holds.

    Returns:
        The estimate.
    """
    models = len(plan.wanted)
    if not plan.missing:
        return BuildEstimate(models=models, finished=models)
    training = plan.wanted[plan.missing[0]].training
    with open_trainers(checkout, training) as pool:
        trial = _try_together(pool, training, 1)
        held = pool.places(needs_of(training.threads, training.device, trial.peak_memory_mib))
        at_once = min(at_most or held, held, len(plan.missing))
        if at_once > 1:
            trial = _try_together(pool, training, at_once)
        available = sum(node.memory_mib for node in pool.nodes())
    each = [training_seconds(trial, plan.wanted[name]) for name in plan.missing]
    return BuildEstimate(
        models=models,
        finished=models - len(plan.missing),
        at_once=at_once,
        # A process that has started trains one model after the other.
        seconds=trial.start_seconds + makespan([one - trial.start_seconds for one in each], at_once),
        seconds_each=max(each),
        memory_mib=at_once * trial.peak_memory_mib,
        memory_available_mib=available,
        disk_mib=COPIES * len(plan.missing) * trial.model_mib,
        disk_free_mib=disk_free_mib(checkout.root),
    )


def refuse_full_disk(estimate: BuildEstimate) -> None:
    """Refuse to begin if the disk has too little space.

    Raises:
        SetupError: If more is needed than is free.
    """
    if estimate.disk_mib > estimate.disk_free_mib:
        raise SetupError(
            f"the models would take {estimate.disk_mib:.0f} MiB of disk, DVC's copies included, but only "
            f"{estimate.disk_free_mib:.0f} MiB are free; make room, or ask for fewer. Nothing was trained"
        )


def training_seconds(trial: TrialTraining, wanted: Wanted) -> float:
    """Return the seconds that a training takes: its start, and all of its steps."""
    return trial.start_seconds + trial.seconds_per_step * steps_of(wanted.training.recipe, wanted.rows)


def _try_together(pool: JobPool, training: Training, count: int) -> TrialTraining:
    """Take steps in parallel; the time of a step is their mean, memory and start are the largest."""
    tried = side_by_side(pool.do, [job_of(training, folder=None)] * count, at_once=count)
    if (why := next((one.why for one in tried if one.why is not None), None)) is not None:
        raise PipelineError(f"a few trial steps of training failed: {why}")
    trials = [_trial_of(one) for one in tried]
    return TrialTraining(
        seconds_per_step=sum(trial.seconds_per_step for trial in trials) / count,
        # A process that has taken steps before has already started.
        start_seconds=max(trial.start_seconds for trial in trials),
        peak_memory_mib=max(trial.peak_memory_mib for trial in trials),
        model_mib=trials[0].model_mib,
    )


def _trial_of(done: JobResult[Job]) -> TrialTraining:
    """Return what a process measured; its time outside the steps is its start."""
    trial = TrialTraining(**done.result)
    start = max(0.0, done.seconds - (TRIAL_STEPS + 1) * trial.seconds_per_step)
    return TrialTraining(**{**dict(trial), "start_seconds": start})
