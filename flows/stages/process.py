"""Start a stage as a process of its own, as ``dvc repro`` does."""

import sys
from collections.abc import Callable
from pathlib import Path

from tasks.checkout.environment import configure_libraries, sole_use
from unlearn_core.errors import LetheError


def run_stage(stage: Callable[[Path], object]) -> None:
    """Run a stage in the current folder; an error of Lethe's own is one message and an exit code.

    Args:
        stage: Takes the checkout's root.
    """
    configure_libraries()
    try:
        with sole_use(Path.cwd()):
            stage(Path.cwd())
    except LetheError as error:
        print(f"{stage.__name__}: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
