"""From a checkout's pinned folders to the tensors that methods and metrics work on."""

from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from tasks.checkout.checkout import Checkout
from tasks.checkout.files import read_record
from tasks.computing.checkpoints import load_checkpoint, load_moments, read_checkpoint_card
from tasks.computing.states import read_states
from tasks.data.datasets import read_card
from tasks.data.pool import Pool
from unlearn_core.canaries import CANARY_SUBJECT
from unlearn_core.data import Samples
from unlearn_core.errors import MomentsError, PipelineError
from unlearn_core.method import Materials, Origin, Tuning
from unlearn_core.metric import View
from unlearn_core.models import build
from unlearn_core.moments import Moments
from unlearn_core.records.artifact import CheckpointCard, MomentsCard
from unlearn_core.records.base import Sha256
from unlearn_core.records.data import CANARY_SPLIT
from unlearn_core.records.deletion import SplitRecord
from unlearn_core.selection import Manifest


def read_split(checkout: Checkout) -> SplitRecord:
    """Read the resolved request."""
    return read_record(checkout.split / "split.json", SplitRecord)


def forget_mask(split: SplitRecord, rows: int) -> NDArray[np.bool_]:
    """Return the ``[rows]`` mask of the rows to forget."""
    mask = np.zeros(rows, dtype=bool)
    mask[list(split.forget_rows)] = True
    return mask


def retain_mask(split: SplitRecord, manifest: Manifest) -> NDArray[np.bool_]:
    """Return the ``[rows]`` mask of the training rows to keep."""
    return (manifest.splits == "train") & ~forget_mask(split, len(manifest))


def load_materials(checkout: Checkout, pool: Pool) -> Materials:
    """Gather everything available for a request; ``unlearn`` passes on only what a method declares."""
    split = read_split(checkout)
    card = read_checkpoint_card(checkout.parent)
    moments, taken = load_parent_moments(checkout)
    return Materials(
        scope=split.method_scope,
        classes=split.classes,
        forget=pool.take(forget_mask(split, len(pool.manifest))),
        retain=pool.take(retain_mask(split, pool.manifest)),
        moments=moments,
        moments_model=None
        if taken.model == card.weights
        else load_checkpoint(find_model(checkout, taken.model))[0],
        tuning=tuning_data(split, pool),
        origin=_origin(card),
        states=read_states(checkout.parent),
    )


def tuning_data(split: SplitRecord, pool: Pool) -> Tuning:
    """Return the held-out data that methods may choose by."""
    held_out = pool.split("tuning")
    return Tuning(
        forget=_any(held_out.of_classes(split.classes)) if split.classes else None,
        retain=held_out.of_classes(split.classes, exclude=True),
    )


def _any(samples: Samples) -> Samples | None:
    """Return the samples, or None if there are none."""
    return samples if len(samples) else None


def _origin(card: CheckpointCard) -> Origin | None:
    """Return how to train a model again, or None if unknown."""
    if card.recipe is None:
        return None
    return Origin(untrained=partial(build, card.architecture), recipe=card.recipe)


def load_parent_moments(checkout: Checkout) -> tuple[Moments, MomentsCard]:
    """Load the second moments.

    Args:
        checkout: The checkout.

    Returns:
        The second moments of the data set at the parent's weights, or carried to it, and their card.

    Raises:
        MomentsError: If they are for other weights or other data.
    """
    moments, card = load_moments(checkout.moments)
    model, data = read_checkpoint_card(checkout.parent).weights, read_card(checkout.dataset).rows_digest
    belongs = card.carried_to or card.model
    if (belongs, card.data) != (model, data):
        raise MomentsError(
            f"the second moments belong to model {belongs} and data {card.data}; the parent is {model}, "
            f"the data set {data}. Run `dvc repro moments`"
        )
    return moments, card


def find_model(checkout: Checkout, weights: Sha256) -> Path:
    """Find a model that the parent descends from, or the parent itself.

    Args:
        checkout: The checkout.
        weights: The digest of its weights.

    Returns:
        Its folder.

    Raises:
        PipelineError: If it is missing, or another model is in its place.
    """
    if read_checkpoint_card(checkout.parent).weights == weights:
        return checkout.parent
    folder = checkout.generation("models", weights)
    if not folder.is_dir():
        raise PipelineError(f"{folder} does not exist; fetch it with `dvc checkout` or `dvc pull`")
    if (found := read_checkpoint_card(folder).weights) != weights:
        raise PipelineError(f"{folder} holds model {found}, expected {weights}; run `dvc checkout`")
    return folder


def views(checkout: Checkout, pool: Pool) -> dict[View, Samples]:
    """Return the samples of every view that metrics use; empty ones are left out.

    Args:
        checkout: The checkout.
        pool: Its data set.

    Returns:
        The samples by view. In sample scope all held-out data is on the retain side. In class scope a part
        has a forget side if every forgotten class has a sample in it: otherwise one class would pass for all
        of them. Held-out canaries are a view if planted ones are forgotten and nothing else is.
    """
    split = read_split(checkout)
    found: dict[View, Samples] = {
        ("train", "forget"): pool.take(forget_mask(split, len(pool.manifest))),
        ("train", "retain"): pool.take(retain_mask(split, pool.manifest)),
    }
    for part in ("audit", "test"):
        held_out = pool.split(part)
        found[part, "retain"] = held_out.of_classes(split.classes, exclude=True)
        if set(split.classes) <= set(held_out.labels.tolist()):
            found[part, "forget"] = held_out.of_classes(split.classes)
    forgotten_subjects = pool.manifest.subject_ids[list(split.forget_rows)]
    if not split.classes and (forgotten_subjects == CANARY_SUBJECT).all():
        found["canary", "retain"] = pool.split(CANARY_SPLIT)
    return {view: samples for view, samples in found.items() if len(samples)}


def load_parent(checkout: Checkout, device: torch.device) -> nn.Module:
    """Load the parent onto a device, in eval mode."""
    return load_checkpoint(checkout.parent)[0].to(device)
