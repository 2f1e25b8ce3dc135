"""Prefect flow ``train``: the data set, the parent and its second moments."""

import torch
from prefect import flow, task

from flows.stages.pipeline import PREPARATION, run_due
from tasks.checkout.checkout import Checkout
from tasks.checkout.log import about
from tasks.checkout.progress import announced
from tasks.computing.accuracy import HELD_OUT, Answers, ask
from tasks.computing.checkpoints import load_checkpoint, read_checkpoint_card
from tasks.data.datasets import read_card
from tasks.data.importing import discard_other_data
from tasks.data.own_images import ImagesAsked
from tasks.data.pool import Pool
from tasks.lifecycle.choosing import settle_images
from tasks.lifecycle.cut_short import closing_before
from tasks.orchestration.flow_runs import flow_run_id, project_tags, tag_flow_run
from tasks.orchestration.task_runs import STAGE
from unlearn_core.records.accuracies import Accuracies, Accuracy
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


def train_on(checkout: Checkout, asked: ImagesAsked) -> CheckpointCard:
    """Train on images of the user's own: ``params.yaml`` names them once they are imported.

    Args:
        checkout: The checkout; the caller holds its lock.
        asked: The images.

    Returns:
        The parent's card. If anything is wrong with the images, nothing was changed.
    """
    sections, settings, source = settle_images(checkout, asked)
    with announced("import"):
        folder = source.import_beside(checkout, settings)
    digest = read_card(folder).rows_digest
    checkout = checkout.changed(sections)
    discard_other_data(checkout, digest)
    card = train(checkout)
    source.discard(checkout, settings)
    return card


def accuracies_of_parent(checkout: Checkout) -> Accuracies:
    """Measure how often the parent is right.

    Args:
        checkout: The checkout, with a parent.

    Returns:
        The accuracy on its training images, on those held out, and on these by class.
    """
    pool, threads = Pool(checkout, torch.device("cpu")), checkout.params.run.threads
    model, card = load_checkpoint(checkout.parent)
    held_out = ask(model, [pool.split(split) for split in HELD_OUT], threads=threads)
    return Accuracies(
        training=_accuracy(ask(model, [pool.split("train")], threads=threads)),
        held_out=_accuracy(held_out),
        held_out_by_class={
            name: _accuracy(held_out.of_class(label)) for label, name in enumerate(card.architecture.classes)
        },
    )


def _accuracy(answers: Answers) -> Accuracy:
    count = len(answers.right)
    return Accuracy(value=answers.accuracy().value if count else None, samples=count)
