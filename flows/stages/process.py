"""Start a stage as a process of its own, as ``dvc repro`` does."""

import sys
from collections.abc import Callable
from pathlib import Path

from tasks.checkout.checkout import Checkout
from tasks.checkout.environment import configure_libraries, sole_use
from unlearn_core.errors import LetheError


def run_stage(stage: Callable[[Checkout], object]) -> None:
    """Run a stage in the working folder, which is the top of a checkout.

    An error of Lethe's own is one message and an exit code.

    Args:
        stage: Takes the checkout.
    """
    configure_libraries()
    try:
        with sole_use(Path()):
            stage(Checkout(Path()))
    except LetheError as error:
        print(f"{stage.__name__}: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
