"""``lethe stage``: one stage of ``dvc.yaml``, in its own process."""

import os
from pathlib import Path
from typing import Annotated

import typer


def command(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The stage's name in `dvc.yaml`.")],
) -> None:
    """Run one stage, due or not, and pin nothing: `dvc repro` starts this for each stage that is due.

    It runs the installed Lethe, even if the project contains modules of the same names.
    """
    from flows.stages.process import find_stage, require_stage, run_stage
    from tasks.checkout.checkout import Checkout
    from tasks.checkout.processes import end_at_once, end_with

    require_stage(name)
    checkout = Checkout.find(Path.cwd())
    end_with(os.getppid(), end_at_once)
    run_stage(find_stage(name), checkout)
