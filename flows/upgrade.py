"""``lethe upgrade``: the project goes over to the Lethe that is installed."""

from pathlib import Path

from flows.stages.code import code_lists
from tasks.checkout.checkout import Checkout
from tasks.checkout.environment import locked
from tasks.lifecycle.upgrading import upgrade_project
from unlearn_core.records.project import Upgraded


def upgrade(folder: Path) -> Upgraded:
    """Pin the Lethe that is installed, in ``lethe.json`` and ``dvc.yaml``; nothing is run.

    Args:
        folder: The project, or a folder in it.

    Returns:
        What was before, what is now, and which stages are due by it.
    """
    checkout = Checkout.find(folder)
    with locked(checkout.root):
        return upgrade_project(checkout.root, code_lists(checkout.params))
