"""``lethe stage``: one stage of ``dvc.yaml``, in a process of its own."""

from pathlib import Path
from typing import Annotated

import typer


def command(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The stage's name in `dvc.yaml`.")],
) -> None:
    """Run one stage, due or not, and pin nothing: what `dvc repro` starts for each stage that is due.

    It runs the Lethe that is installed, whatever else of the same name lies in the project.
    """
    from flows.stages.process import find_stage, run_stage
    from tasks.checkout.checkout import Checkout

    run_stage(find_stage(name), Checkout.find(Path.cwd()))
