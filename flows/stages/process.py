"""Start a stage as a process of its own, as ``dvc repro`` does."""

import sys
from collections.abc import Callable
from pathlib import Path

from tasks.checkout.checkout import Checkout
from tasks.checkout.environment import configure_libraries, sole_use
from tasks.checkout.log import about, open_log, tell_error
from tasks.requests.request_file import read_request
from unlearn_core.errors import LetheError


def run_stage(
    stage: Callable[[Checkout], object], *, before: Callable[[Checkout], None] | None = None
) -> None:
    """Run a stage in the working folder, which is the top of a checkout.

    An error of Lethe's own is one message and an exit code.

    Args:
        stage: Takes the checkout.
        before: Looks whether it may run.
    """
    configure_libraries()
    checkout = Checkout(Path())
    try:
        open_log()
        with sole_use(checkout.root), about(*_requests(checkout)):
            if before is not None:
                before(checkout)
            stage(checkout)
    except Exception as error:
        tell_error(error, by=stage.__name__)
        sys.exit(error.exit_code if isinstance(error, LetheError) else 1)


def _requests(checkout: Checkout) -> tuple[str, ...]:
    """Return the ids of the requests that the pipeline serves, where it can tell: the log names them."""
    try:
        return tuple(single.id for single in read_request(checkout, checkout.params.request).singles)
    except LetheError:
        return ()
