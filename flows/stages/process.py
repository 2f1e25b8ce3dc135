"""Run a stage in its own process, as ``dvc repro`` does with ``lethe stage NAME``."""

import pkgutil
import sys
from collections.abc import Callable

from flows.stages.listed import require_listed
from tasks.checkout.checkout import Checkout
from tasks.checkout.environment import sole_use
from tasks.checkout.files import read_record
from tasks.checkout.log import about, tell_error
from unlearn_core.errors import LetheError, SetupError
from unlearn_core.records.request import DeletionRequest
from unlearn_core.spelling import did_you_mean

FUNCTIONS = {
    "code": "list_code",
    "dataset": "make_dataset",
    "parent": "make_parent",
    "moments": "make_moments",
    "split": "split_data",
    "unlearn": "climb_ladder",
    "certify": "certify_and_store",
}
"""Keyed by the names in ``dvc.yaml``; strings, so that starting one stage loads no other."""
RUN_OTHERS = {"make_dataset", "make_parent", "make_moments", "climb_ladder"}
"""The functions that run code that is not Lethe's if ``params.yaml`` names it."""


def require_stage(name: str) -> None:
    """Refuse a name that no stage has.

    Raises:
        SetupError: If there is no such stage.
    """
    if name not in FUNCTIONS:
        hint = did_you_mean(name, FUNCTIONS)
        raise SetupError(f"there is no stage {name!r}; {hint}the stages are {', '.join(FUNCTIONS)}")


def find_stage(name: str) -> Callable[[Checkout], object]:
    """Load the function of the stage with this name in ``dvc.yaml``; other names are refused."""
    require_stage(name)
    return pkgutil.resolve_name(f"flows.stages.{name}:{FUNCTIONS[name]}")


def run_stage(stage: Callable[[Checkout], object], checkout: Checkout) -> None:
    """Run a stage while holding the checkout's lock; an error is one message and an exit code."""
    try:
        with sole_use(checkout.root), about(*_requests(checkout)):
            if stage.__name__ in RUN_OTHERS:
                require_listed(checkout)
            stage(checkout)
    except Exception as error:
        tell_error(error, by=stage.__name__)
        sys.exit(error.exit_code if isinstance(error, LetheError) else 1)


def _requests(checkout: Checkout) -> tuple[str, ...]:
    """Return the ids of the requests that the pipeline serves, if they can be read, for the log."""
    try:
        request = read_record(checkout.request(checkout.params.request), DeletionRequest)
        return tuple(single.id for single in request.singles)
    except LetheError:
        return ()
