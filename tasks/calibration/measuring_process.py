"""Trainings of a calibration, each with what is measured of it, in a separate process.

It does a ``MeasuringJob`` per line, as ``tasks.running.messages`` says.
"""

from pathlib import Path

from tasks.checkout.checkout import Checkout
from tasks.checkout.files import write_record
from tasks.computing.checkpoints import is_whole
from tasks.measuring.evaluation import assess
from tasks.references.training_process import do_training
from tasks.running.messages import do_jobs
from unlearn_core.progress import OnStep
from unlearn_core.records.calibration import MeasuringJob, PseudoJob, PseudoRequest


def _train_and_measure(line: bytes, on_step: OnStep) -> None:
    """Train a model unless it exists, and measure it on each of its pseudo-requests."""
    job = MeasuringJob.parse(line)
    model = Path(job.model)
    if not is_whole(model):
        do_training(job.training.canonical(), on_step)
    for asked in job.pseudo:
        _measure(asked, model)


def _measure(asked: PseudoJob, model: Path) -> None:
    """Measure the original and the retrained model on one pseudo-request."""
    place = Checkout(Path(asked.checkout))
    run = place.params.run
    original, retrained = (assess(place, folder, run) for folder in (place.parent, model))
    measured = PseudoRequest(
        kind=asked.kind, fold=asked.fold, rows=asked.rows, original=original, retrained=retrained
    )
    write_record(Path(asked.kept), measured)


if __name__ == "__main__":
    do_jobs(_train_and_measure)
