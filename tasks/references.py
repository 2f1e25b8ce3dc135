"""Retrained models to judge against: built once, kept by everything that they depend on."""

from pathlib import Path
from typing import Literal

import torch

from tasks.checkpoints import is_whole, read_checkpoint_card
from tasks.compute import device_name
from tasks.files import code_digest, write_record
from tasks.layout import Layout, short
from tasks.materials import read_split, retain_mask
from tasks.pool import Pool
from tasks.training import train_checkpoint
from unlearn_core import data, models, training
from unlearn_core.errors import ConfigurationError
from unlearn_core.records.artifact import CheckpointCard, Recipe
from unlearn_core.records.base import canonical_json, sha256
from unlearn_core.records.params import RunParams
from unlearn_core.seeds import derive_seed


def find_reference(layout: Layout, run: RunParams, how: Literal["none", "cached", "build"]) -> Path | None:
    """Return a model retrained without the forgotten data, as the policy allows.

    Args:
        layout: The checkout.
        run: Base seed and threads; the reference's seed is no method's seed.
        how: ``none``, only one that was built before, or build it now if it was not.

    Returns:
        The reference's folder, or None.

    Raises:
        ConfigurationError: If it is to be built, and how the parent was trained is not known.
    """
    if how == "none":
        return None
    parent = read_checkpoint_card(layout.parent)
    if (recipe := parent.recipe) is None:
        if how == "cached":
            return None
        raise ConfigurationError(
            "policy.reference is build, but nobody knows how the parent was trained, so that nothing can be "
            "retrained to compare with; set policy.reference to none, or adopt the model with its --recipe"
        )
    seed = derive_seed(run.seed, "reference")
    folder = layout.lethe / "references" / _key(layout, parent, recipe, seed=seed, threads=run.threads)
    if not is_whole(folder) and how == "build":
        _build(layout, folder, parent, recipe, seed=seed, threads=run.threads)
    return folder if is_whole(folder) else None


def _build(
    layout: Layout, folder: Path, parent: CheckpointCard, recipe: Recipe, *, seed: int, threads: int
) -> None:
    pool = Pool(layout, torch.device("cpu"))
    split = read_split(layout)
    card, cost = train_checkpoint(
        folder,
        pool.take(retain_mask(split, pool.manifest)),
        architecture=parent.architecture,
        recipe=recipe,
        normalisation=parent.normalisation,
        data=split.retained,
        seed=seed,
        threads=threads,
        title="retrain the reference",
    )
    write_record(layout.cost(card.weights), cost)


def _key(layout: Layout, parent: CheckpointCard, recipe: Recipe, *, seed: int, threads: int) -> str:
    """Name everything that a reference's bits depend on."""
    ingredients = {
        "data": read_split(layout).retained,
        "architecture": parent.architecture.model_dump(mode="json"),
        "recipe": recipe.model_dump(mode="json"),
        "normalisation": parent.normalisation.model_dump(mode="json"),
        "seed": seed,
        "threads": threads,
        "code": code_digest(data, models, training),
        "torch": torch.__version__,
        "device": device_name(),
    }
    return short(sha256(canonical_json(ingredients)))
