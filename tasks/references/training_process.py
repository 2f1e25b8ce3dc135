"""Trainings in a separate process: ``python -m tasks.references.training_process`` in a project.

It does a ``Job`` per line, as ``tasks.running.messages`` says.
"""

from pathlib import Path
from typing import Any

import torch

from tasks.checkout.checkout import Checkout
from tasks.checkout.files import code_digest
from tasks.computing.checkpoints import is_whole, read_checkpoint_card
from tasks.computing.execution import device_name, processor_kind
from tasks.references.retrained import train_described
from tasks.references.trials import try_training
from tasks.running.messages import do_jobs
from unlearn_core import data, models, training
from unlearn_core.errors import PipelineError
from unlearn_core.progress import OnStep
from unlearn_core.records.reference import Job


def do_training(line: bytes, on_step: OnStep) -> Any:
    """Train or try, and return the weights' digest or what a trial measured.

    Args:
        line: A ``Job``.
        on_step: Called for every epoch.

    Returns:
        The result as a JSON value.

    Raises:
        PipelineError: If the model's bits would not be what its name promises.
    """
    job = Job.parse(line)
    _refuse_another_world(job)
    checkout = Checkout(Path(job.checkout))
    if job.folder is None:
        return try_training(checkout, job.training).model_dump(mode="json")
    # A node may have been lost after it had finished and before it could say so.
    if is_whole(folder := checkout.root / job.folder):
        return read_checkpoint_card(folder).weights
    card, _ = train_described(checkout, job.training, folder, on_step=on_step)
    return card.weights


def _refuse_another_world(job: Job) -> None:
    """Refuse to train under a name that promises other bits.

    Raises:
        PipelineError: If code, torch, device or processor differ from those in the job.
    """
    wanted = job.training
    here = {
        "code": (wanted.code, code_digest(data, models, training)),
        "torch": (wanted.torch, torch.__version__),
        "device": (wanted.device, device_name()),
        "processor": (job.processor, processor_kind()),
    }
    if changed := [name for name, (planned, found) in here.items() if planned not in {found, ""}]:
        told = "; ".join(f"{name}: {here[name][0]} was planned, {here[name][1]} is here" for name in changed)
        raise PipelineError(
            f"{', '.join(changed)} changed since this training was planned; start it again, on nodes of one "
            f"kind ({told})"
        )


if __name__ == "__main__":
    do_jobs(do_training)
