"""Training a calibration's models several at a time, measuring them, and throwing them away."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tasks.benchmarking.adversaries import Challenger, exposed_attempt, seeded
from tasks.benchmarking.scratch import scratch, sweep_scratch
from tasks.calibration.planning import PlannedTraining, Pseudo
from tasks.checkout.checkout import Checkout, short
from tasks.checkout.files import method_digest, write_record
from tasks.checkout.progress import announced, progress_of_many
from tasks.measuring.evaluation import assess
from tasks.references.building import Train, train_one
from tasks.references.processes import ProcessPool, side_by_side
from tasks.references.retrained import find_trained
from unlearn_core.adversaries.suite import adversaries_for
from unlearn_core.errors import PipelineError, UnlearningError
from unlearn_core.method import Method
from unlearn_core.records.base import canonical_json, sha256
from unlearn_core.records.calibration import PseudoRequest
from unlearn_core.records.reference import Job

MODEL = "models/retrained"
"""Where a training's folder has its model, until the folder is removed."""


def measure_missing(
    checkout: Checkout, planned: Sequence[PlannedTraining], *, at_once: int, train: Train = train_one
) -> int:
    """Train and measure what is missing; what was measured is kept, and the models are not.

    Args:
        checkout: The checkout; the caller holds its lock.
        planned: The trainings.
        at_once: How many run at once; it changes no bit of a model.
        train: Trains one.

    Returns:
        How many models were trained.

    Raises:
        PipelineError: If a training failed; what was measured before is kept.
    """
    sweep_scratch(checkout)
    missing = [one for one in planned if not one.is_measured]
    for start in range(0, len(missing), at_once):
        batch = missing[start : start + at_once]
        with announced(f"[{start + len(batch)}/{len(missing)}] {', '.join(one.title for one in batch)}"):
            _train_and_measure(checkout, batch, train)
    return len(missing)


def _train_and_measure(checkout: Checkout, batch: Sequence[PlannedTraining], train: Train) -> None:
    """Train a few models side by side, and measure each on its own pseudo-requests."""
    with ExitStack() as folders:
        places = {
            one.training.digest: folders.enter_context(
                scratch(checkout, one.case, name=f"training-{short(one.training.digest)}")
            )
            for one in batch
        }
        found = {one.training.digest: find_trained(checkout, one.training) for one in batch}
        missing = [one for one in batch if found[one.training.digest] is None]
        _train(places, missing, train)
        for one in batch:
            model = found[one.training.digest] or places[one.training.digest].root / MODEL
            for pseudo in one.pseudo:
                _measure(checkout, one, pseudo, model)


def _train(places: dict[str, Checkout], missing: Sequence[PlannedTraining], train: Train) -> None:
    """Train models in processes of their own, each in the folder of its training."""
    titles = {one.training.digest: one.title for one in missing}
    with progress_of_many("train", len(missing)) as part:

        def work(job: Job) -> Any:
            digest = job.training.digest
            with ProcessPool(places[digest].root) as pool, part(titles[digest]) as on_step:
                return train(pool, job, on_step, titles[digest])

        jobs = [Job(training=one.training, folder=MODEL) for one in missing]
        done = side_by_side(work, jobs, at_once=len(jobs))
    if failed := [f"  {titles[one.job.training.digest]}: {one.why}" for one in done if one.why]:
        raise PipelineError(
            f"{len(failed)} of {len(done)} trainings failed; what was measured is kept. Run the same command "
            "again for the rest:\n" + "\n".join(failed)
        )


def _measure(checkout: Checkout, one: PlannedTraining, pseudo: Pseudo, model: Path) -> None:
    """Measure the original and the retrained model on one pseudo-request."""
    with scratch(checkout, pseudo.case) as place:
        run = place.params.run
        original, retrained = (assess(place, folder, run) for folder in (place.parent, model))
    write_record(
        pseudo.kept,
        PseudoRequest(
            kind=one.drawn.kind,
            fold=one.drawn.fold,
            rows=pseudo.case.forget.rows,
            original=original,
            retrained=retrained,
        ),
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
