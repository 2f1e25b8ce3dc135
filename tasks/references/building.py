"""Build the missing retrained models and shadows, and put all finished ones under DVC."""

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tasks.checkout.checkout import Checkout
from tasks.checkout.progress import progress_of_many
from tasks.computing.execution import processor_kind
from tasks.references.plan import Plan
from tasks.references.retrained import find_trained
from tasks.running.pool import JobPool, JobResult, side_by_side
from tasks.running.runner import needs_of, open_pool
from tasks.storage.versioning import track
from unlearn_core.errors import PipelineError
from unlearn_core.records.base import Record
from unlearn_core.records.reference import Job, Training

TRAINING_PROCESS = "tasks.references.training_process"
"""What a process runs that trains."""

Train = Callable[..., Any]
"""Takes a pool, a job, a listener to its steps and a title, and runs the job."""


def train_one(pool: JobPool, job: Record, on_step: Callable[..., None], title: str) -> Any:  # noqa: ARG001
    """Train one model in the pool; the title names it where progress is shown."""
    return pool.do(job, on_step)


def build_missing(
    checkout: Checkout, plan: Plan, *, at_once: int, memory_mib: float = 0.0, train: Train = train_one
) -> list[JobResult[Job]]:
    """Train what is missing, each model in a separate process; finished models are always kept.

    Args:
        checkout: The checkout.
        plan: What is wanted.
        at_once: How many trainings run at once; it changes no bit of a model.
        memory_mib: What each takes, for the nodes of a cluster; 0 if that is not known.
        train: Trains one.

    Returns:
        How each training ended, in the order of ``missing``.
    """
    sweep_references(checkout)
    if not plan.missing:
        return []
    first = plan.wanted[plan.missing[0]].training
    with (
        progress_of_many("train", len(plan.missing)) as part,
        open_trainers(checkout, first, memory_mib=memory_mib) as pool,
    ):

        def work(job: Job) -> Any:
            title = plan.wanted[Path(str(job.folder)).name].title
            with part(title) as on_step:
                return train(pool, job, on_step, title)

        return side_by_side(work, [_job(checkout, plan, name) for name in plan.missing], at_once=at_once)


def open_trainers(checkout: Checkout, training: Training, *, memory_mib: float = 0.0) -> JobPool:
    """Return a pool for trainings that need as much as this one."""
    return open_pool(checkout.root, TRAINING_PROCESS, needs_of(training.threads, training.device, memory_mib))


def job_of(training: Training, *, folder: str | None, checkout: str = ".") -> Job:
    """Return the job of a training, to be done on a processor of this machine's kind."""
    processor = processor_kind() if training.device == "cpu" else ""
    return Job(training=training, folder=folder, checkout=checkout, processor=processor)


def _job(checkout: Checkout, plan: Plan, name: str) -> Job:
    folder = checkout.reference(name).relative_to(checkout.root)
    return job_of(plan.wanted[name].training, folder=str(folder))


def refuse_failed(plan: Plan, done: Sequence[JobResult[Job]]) -> None:
    """Report which trainings failed, and that nothing else is lost.

    Args:
        plan: What was wanted.
        done: How each missing one ended.

    Raises:
        PipelineError: If any failed; each is named, with its reason.
    """
    ended = zip(plan.missing, done, strict=True)
    if failed := [f"  {plan.wanted[name].title} ({name}): {one.why}" for name, one in ended if one.why]:
        raise PipelineError(
            f"{len(failed)} of {len(done)} trainings failed; the others are finished and kept. Run the same "
            "command again to make what is missing:\n" + "\n".join(failed)
        )


def pin_references(checkout: Checkout, plan: Plan) -> tuple[str, ...]:
    """Put every finished model of a plan under DVC, moving it from the cache; return the pinned names."""
    pinned: list[str] = []
    for name, wanted in plan.wanted.items():
        if (found := find_trained(checkout, wanted.training)) is None:
            continue
        if found != (home := checkout.reference(name)):
            shutil.rmtree(home, ignore_errors=True)
            home.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(found, home)
        pinned.append(name)
    if pinned:
        track(checkout.root, *map(checkout.reference, pinned))
    return tuple(pinned)


def sweep_references(checkout: Checkout) -> None:
    """Remove what killed trainings left half written; the caller must hold the checkout's lock."""
    for left in checkout.references.glob(".*.*"):
        if left.is_dir():
            shutil.rmtree(left)
