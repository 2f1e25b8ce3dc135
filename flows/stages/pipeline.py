"""The pipeline in one place: which stages there are, in order, and running one only where it is due."""

from collections.abc import Callable
from pathlib import Path

from flows.stages.certify import certify
from flows.stages.code import list_code
from flows.stages.dataset import make_dataset
from flows.stages.moments import make_moments
from flows.stages.parent import make_parent
from flows.stages.split import split_data
from flows.stages.unlearn import unlearn
from tasks.checkout.progress import announced, tell
from tasks.storage.versioning import is_current, pin

Stage = Callable[[Path], object]

PREPARATION: dict[str, Stage] = {
    "code": list_code,
    "dataset": make_dataset,
    "parent": make_parent,
    "moments": make_moments,
}
DELETION: dict[str, Stage] = {"split": split_data, "unlearn": unlearn, "certify": certify}


def run_due(root: Path, name: str, stage: Stage, *, anew: bool = False) -> bool:
    """Run a stage and pin its result, unless the lock says that it is current.

    Args:
        root: The checkout.
        name: The stage's name in ``dvc.yaml``.
        stage: Its function.
        anew: Run it even if it is current.

    Returns:
        Whether it was run.
    """
    if not anew and is_current(root, name):
        tell(f"· {name:<10} is current")
        return False
    with announced(name):
        stage(root)
        pin(root, name)
    return True
