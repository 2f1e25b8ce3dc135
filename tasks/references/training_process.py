"""Trainings in a separate process: ``python -m tasks.references.training_process`` in a checkout.

It reads a ``Job`` per line from standard input and reports on standard output, one JSON document per line:
the steps, and at the end of each job its result, or why it failed; after a failure it takes no other. What a
user's net prints goes to standard error. It ends as soon as its standard input does, so that it never
outlives the process that started it, however that ended.
"""

import json
import os
import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import IO, Any

import torch

from tasks.checkout.checkout import Checkout
from tasks.checkout.files import code_digest
from tasks.computing.execution import device_name
from tasks.references.retrained import train_described
from tasks.references.trials import try_training
from unlearn_core import data, models, training
from unlearn_core.errors import LetheError, PipelineError
from unlearn_core.progress import Step
from unlearn_core.records.reference import Job, Training

STEP, RESULT, WHY = "step", "result", "why"
"""What a line is about."""

Say = Callable[[str, Any], None]
"""Writes one line: what it is about, and a JSON value."""


def main() -> None:
    """Do job after job; one of Lethe's errors becomes one line and an exit code."""
    jobs: SimpleQueue[bytes] = SimpleQueue()
    Thread(target=_read_jobs, args=(jobs,), daemon=True).start()
    say = partial(_say, sys.stdout)
    try:
        with redirect_stdout(sys.stderr):
            while True:
                say(RESULT, _do(Checkout(Path.cwd()), Job.parse(jobs.get()), say))
    except LetheError as error:
        say(WHY, str(error))
        sys.exit(error.exit_code)


def _do(checkout: Checkout, job: Job, say: Say) -> Any:
    """Train or try, and return the result as a JSON value."""
    _refuse_another_world(job.training)
    if job.folder is None:
        return try_training(checkout, job.training).model_dump(mode="json")
    card, _ = train_described(checkout, job.training, Path(job.folder), on_step=partial(_say_step, say))
    return card.weights


def _refuse_another_world(wanted: Training) -> None:
    """Refuse to train under a name that promises other bits.

    Raises:
        PipelineError: If code, torch or device differ from those in the job.
    """
    here = {
        "code": code_digest(data, models, training),
        "torch": torch.__version__,
        "device": device_name(),
    }
    if changed := [name for name, value in here.items() if getattr(wanted, name) != value]:
        raise PipelineError(f"{', '.join(changed)} changed since this training was planned; start it again")


def _say_step(say: Say, step: Step) -> None:
    say(STEP, {"phase": step.phase, "index": step.index, "total": step.total})


def _say(stream: IO[str], about: str, value: Any) -> None:
    print(json.dumps({about: value}), file=stream, flush=True)


def _read_jobs(jobs: "SimpleQueue[bytes]") -> None:
    """Pass on the lines of standard input; when that ends, end this process at once."""
    # Read below Python's buffer, whose lock a waiting thread would still hold when the program ends.
    rest = b""
    while read := os.read(0, 2**16):
        *lines, rest = (rest + read).split(b"\n")
        for line in lines:
            jobs.put(line)
    os._exit(1)


if __name__ == "__main__":
    main()
