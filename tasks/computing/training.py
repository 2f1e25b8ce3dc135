"""Train a net on this machine and save it: parents and references."""

from contextlib import nullcontext
from pathlib import Path

import torch

from tasks.checkout.progress import progress
from tasks.computing.checkpoints import save_checkpoint
from tasks.computing.execution import computing, measured
from tasks.computing.own_nets import allow_net
from unlearn_core.data import Samples
from unlearn_core.models import build_seeded
from unlearn_core.progress import OnStep
from unlearn_core.records.artifact import Architecture, CheckpointCard, Recipe
from unlearn_core.records.base import Sha256
from unlearn_core.records.data import Normalisation
from unlearn_core.records.evaluation import Cost
from unlearn_core.rewinding import recording, steps_in
from unlearn_core.training import fit

UNWRITTEN: Sha256 = "sha256:" + "0" * 64
"""A placeholder for the weights' digest until the weights are written."""


def train_checkpoint(
    folder: Path,
    samples: Samples,
    *,
    architecture: Architecture,
    recipe: Recipe,
    normalisation: Normalisation,
    data: Sha256,
    seed: int,
    threads: int,
    title: str,
    on_step: OnStep | None = None,
    keep: tuple[float, ...] = (),
) -> tuple[CheckpointCard, Cost]:
    """Train a fresh net and write its checkpoint.

    Args:
        folder: Where to write; replaced if it exists.
        samples: The training data.
        architecture: The net.
        recipe: How to train it.
        normalisation: Of the images, for the card.
        data: Digest of the data set, for the card.
        seed: For the weights, the order and the augmentation.
        threads: On the CPU.
        title: For the progress bar.
        on_step: Called for every epoch, in place of the bar.
        keep: Shares of the training, after which its state is kept beside the checkpoint.

    Returns:
        The card, and what the training cost.
    """
    allow_net(architecture.name, folder)
    shown = progress(title) if on_step is None else nullcontext(on_step)
    with computing(threads) as device, shown as listener, measured() as meter:
        model = build_seeded(architecture, seed).to(device)
        generator = torch.Generator().manual_seed(seed)
        with recording(model, keep, steps=steps_in(recipe, len(samples))) as states:
            fit(model, samples.to(device), recipe, generator=generator, on_step=listener)
        meter.samples_seen = len(samples) * recipe.epochs
    card = CheckpointCard(
        architecture=architecture,
        normalisation=normalisation,
        weights=UNWRITTEN,
        data=data,
        seed=seed,
        threads=threads,
        recipe=recipe,
    )
    return save_checkpoint(folder, model, card, states=states), meter.read()
