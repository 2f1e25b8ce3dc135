"""Prefect flow ``train``: the data set, the parent and its second moments."""

import os
from pathlib import Path

from prefect import flow, task

from flows.stages.pipeline import PREPARATION, run_due
from tasks.checkout.checkout import Checkout
from tasks.checkout.environment import require_checkout
from tasks.computing.checkpoints import read_checkpoint_card
from tasks.orchestration.task_runs import STAGE
from unlearn_core.records.artifact import CheckpointCard


@task(**STAGE)
def prepare_stage(root: Path, name: str) -> bool:
    """Run one stage where it is due, and pin its result."""
    return run_due(root, name, PREPARATION[name])


def prepare(root: Path) -> None:
    """Run the stages that come before any deletion, each as a task of the current flow."""
    for name in PREPARATION:
        prepare_stage(root, name)


@flow(
    name="train",
    flow_run_name="train",
    description="Gets the model that deletions start from: trained here, adopted, or the one in use.",
    validate_parameters=False,
)
def train(root: Path) -> CheckpointCard:
    """Make the parent that deletions start from.

    Args:
        root: The checkout.

    Returns:
        The parent's card.
    """
    # Relative: messages of errors are stored, and an absolute path may name a person.
    root = Path(os.path.relpath(require_checkout(root)))
    prepare(root)
    return read_checkpoint_card(Checkout(root).parent)
