"""Prefect flow ``train``: the data set, the parent and its second moments."""

from prefect import flow, task

from flows.stages.pipeline import PREPARATION, run_due
from tasks.checkout.checkout import Checkout
from tasks.checkout.log import about
from tasks.computing.checkpoints import read_checkpoint_card
from tasks.lifecycle.cut_short import closing_before
from tasks.orchestration.flow_runs import flow_run_id, project_tags, tag_flow_run
from tasks.orchestration.task_runs import STAGE
from unlearn_core.records.artifact import CheckpointCard


@task(**STAGE)
def prepare_stage(checkout: Checkout, name: str) -> None:
    """Run one stage if it is due, and pin its result."""
    run_due(checkout, name, PREPARATION[name])


def prepare_parent(checkout: Checkout) -> None:
    """Run the stages that come before any deletion, each as a task of the current flow."""
    for name in PREPARATION:
        prepare_stage(checkout, name)


def train_here(checkout: Checkout) -> CheckpointCard:
    """Make the parent that deletions start from, in the current flow run.

    Args:
        checkout: The checkout; the caller holds its lock.

    Returns:
        The parent's card.
    """
    tag_flow_run(project_tags(checkout))
    with about(flow_run=flow_run_id()):
        prepare_parent(checkout)
    return read_checkpoint_card(checkout.parent)


@closing_before
@flow(
    name="train",
    flow_run_name="{checkout.params.registry.model}: train",
    description="Gets the model that deletions start from: trained here, adopted, or the one in use.",
    validate_parameters=False,
)
def train(checkout: Checkout) -> CheckpointCard:
    """Make the parent that deletions start from, in a flow run of its own.

    Args:
        checkout: The checkout; the caller holds its lock. Its root is stored, so it must name nobody.

    Returns:
        The parent's card.
    """
    return train_here(checkout)
