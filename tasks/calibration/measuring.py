"""Training a calibration's models several at a time, measuring them, and throwing them away."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tasks.benchmarking.adversaries import Challenger, exposed_attempt, seeded
from tasks.benchmarking.scratch import scratch, sweep_scratch
from tasks.calibration.planning import PlannedTraining, Pseudo
from tasks.checkout.checkout import Checkout, short
from tasks.checkout.files import method_digest, write_record
from tasks.checkout.progress import announced, progress_of_many
from tasks.measuring.evaluation import assess
from tasks.references.building import Train, job_of, train_one
from tasks.references.retrained import find_trained
from tasks.running.pool import side_by_side
from tasks.running.runner import needs_of, open_pool
from unlearn_core.adversaries.suite import adversaries_for
from unlearn_core.errors import PipelineError, UnlearningError
from unlearn_core.method import Method
from unlearn_core.records.base import canonical_json, sha256
from unlearn_core.records.calibration import MeasuringJob, PseudoJob

MEASURING_PROCESS = "tasks.calibration.measuring_process"
"""What a process runs that trains and measures."""

MODEL = "models/retrained"
"""Where a training's folder has its model, until the folder is removed."""


def measure_missing(
    checkout: Checkout,
    planned: Sequence[PlannedTraining],
    *,
    at_once: int,
    memory_mib: float = 0.0,
    train: Train = train_one,
) -> int:
    """Train and measure what is missing; what was measured is kept, and the models are not.

    Args:
        checkout: The checkout; the caller holds its lock.
        planned: The trainings.
        at_once: How many run at once; it changes no bit of a model.
        memory_mib: What each takes, for the nodes of a cluster; 0 if that is not known.
        train: Trains and measures one.

    Returns:
        How many models were trained.

    Raises:
        PipelineError: If a training failed; all others are measured and kept.
    """
    sweep_scratch(checkout)
    if not (missing := [one for one in planned if not one.is_measured]):
        return 0
    first = missing[0].training
    needs = needs_of(first.threads, first.device, memory_mib)
    with (
        progress_of_many("calibrate", len(missing)) as part,
        open_pool(checkout.root, MEASURING_PROCESS, needs) as pool,
    ):

        def work(one: PlannedTraining) -> None:
            with _job_of(checkout, one) as job, part(one.title) as on_step:
                train(pool, job, on_step, one.title)

        done = side_by_side(work, missing, at_once=at_once)
    if failed := [f"  {one.job.title}: {one.why}" for one in done if one.why]:
        raise PipelineError(
            f"{len(failed)} of {len(done)} trainings failed; what was measured is kept. Run the same command "
            "again for the rest:\n" + "\n".join(failed)
        )
    return len(missing)


@contextmanager
def _job_of(checkout: Checkout, one: PlannedTraining) -> Iterator[MeasuringJob]:
    """Make the folders that a training and its pseudo-requests need, and remove them once all is measured."""

    def below(folder: Path) -> str:
        return str(folder.relative_to(checkout.root))

    with ExitStack() as folders:
        name = f"training-{short(one.training.digest)}"
        home = folders.enter_context(scratch(checkout, one.case, name=name)).root
        asked = tuple(
            PseudoJob(
                checkout=below(folders.enter_context(scratch(checkout, pseudo.case)).root),
                kept=below(pseudo.kept),
                kind=one.drawn.kind,
                fold=one.drawn.fold,
                rows=pseudo.case.forget.rows,
            )
            for pseudo in one.pseudo
        )
        found = find_trained(checkout, one.training)
        yield MeasuringJob(
            training=job_of(one.training, folder=MODEL, checkout=below(home)),
            model=below(found or home / MODEL),
            pseudo=asked,
        )


def adversaries_of(pseudo: Pseudo) -> dict[Path, tuple[str, Method]]:
    """Return the adversaries that can pretend to serve a pseudo-request, by where each is kept, measured."""
    found = adversaries_for(pseudo.case.split.method_scope).items()
    return {_kept_adversary(pseudo, name, method): (name, method) for name, method in found}


def _kept_adversary(pseudo: Pseudo, name: str, method: Method) -> Path:
    ingredients = [pseudo.kept.stem, name, method.model_dump(mode="json"), method_digest(method)]
    return pseudo.kept.with_name(f"{short(sha256(canonical_json(ingredients)))}.json")


def measure_adversaries(checkout: Checkout, attacked: Sequence[Pseudo]) -> None:
    """Let each adversary pretend to serve some pseudo-requests, and measure what it made.

    Args:
        checkout: The checkout.
        attacked: The pseudo-requests; one whose adversary fails to give a model has no evaluation of it.
    """
    for pseudo in attacked:
        for path, (name, method) in adversaries_of(pseudo).items():
            if not path.is_file():
                with announced(f"{pseudo.case.forget.name}: {name}"):
                    _attack(checkout, pseudo, path, Challenger(name, 0, method))


def _attack(checkout: Checkout, pseudo: Pseudo, path: Path, challenger: Challenger) -> None:
    with scratch(checkout, pseudo.case, checkout.moments) as place:
        run = place.params.run
        share = place.params.policy.max_unsupported_share
        try:
            tried = exposed_attempt(
                place, challenger.method, seeded(run, challenger), max_unsupported_share=share
            )
        except UnlearningError:
            return
        write_record(path, assess(place, tried.checkpoint, run, method=challenger.method))


def attacked_of(planned: Sequence[PlannedTraining], count: int) -> Iterator[Pseudo]:
    """Yield what adversaries are let loose on: of each kind, the largest group of the first few trainings."""
    for kind in dict.fromkeys(one.drawn.kind for one in planned):
        own = [one for one in planned if one.drawn.kind == kind]
        for one in own[:count]:
            yield max(one.pseudo, key=lambda pseudo: pseudo.case.forget.rows)
