"""The pipeline in one place: its stages, in order, and how to run one only if it is due."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from flows.stages.certify import certify
from flows.stages.code import list_code
from flows.stages.dataset import make_dataset
from flows.stages.listed import differs_from_list
from flows.stages.moments import make_moments
from flows.stages.parent import make_parent
from flows.stages.split import split_data
from flows.stages.unlearn import climb_ladder
from tasks.checkout.checkout import Checkout
from tasks.checkout.log import tell
from tasks.checkout.progress import announced
from tasks.storage.versioning import is_current, pin

Stage = Callable[[Checkout], object]

_CODE = "code"
PREPARATION: dict[str, Stage] = {
    _CODE: list_code,
    "dataset": make_dataset,
    "parent": make_parent,
    "moments": make_moments,
}
DELETION: dict[str, Stage] = {"split": split_data, "unlearn": climb_ladder, "certify": certify}


@contextmanager
def stage_due(checkout: Checkout, name: str, *, anew: bool = False) -> Iterator[bool]:
    """Yield whether a stage is due; if it is, the block runs it, and its result is pinned afterwards.

    Args:
        checkout: The checkout.
        name: The stage's name in ``dvc.yaml``.
        anew: Run it even if it is current.
    """
    unlisted = name == _CODE and differs_from_list(checkout)
    if not anew and not unlisted and is_current(checkout.root, name):
        tell(f"· {name:<10} is current")
        yield False
        return
    with announced(name):
        yield True
        pin(checkout.root, name)


def run_due(checkout: Checkout, name: str, stage: Stage, *, anew: bool = False) -> bool:
    """Run a stage and pin its result, unless the lock says that it is current.

    Args:
        checkout: The checkout.
        name: The stage's name in ``dvc.yaml``.
        stage: Its function.
        anew: Run it even if it is current.

    Returns:
        Whether it was run.
    """
    with stage_due(checkout, name, anew=anew) as due:
        if due:
            stage(checkout)
    return due
