"""``lethe upgrade``: move the project to the installed Lethe."""

from pathlib import Path

from flows.stages.code import code_lists
from tasks.checkout.checkout import Checkout
from tasks.checkout.environment import locked
from tasks.lifecycle.upgrading import upgrade_project
from unlearn_core.records.project import Upgraded


def upgrade(folder: Path) -> Upgraded:
    """Pin the installed Lethe in ``lethe.json`` and ``dvc.yaml``; nothing is run.

    Args:
        folder: The project, or a folder in it.

    Returns:
        The Lethe before and now, and which stages are due because of it.
    """
    checkout = Checkout.find(folder)
    with locked(checkout.root):
        return upgrade_project(checkout.root, code_lists(checkout.params))
