"""Retrained models to compare with: built once, and kept by everything that they depend on.

A shadow pair shares one seed: a model trained on the retained data, which is a retrained model, and one
trained on all the data. The second does not depend on the request, so the first of one request serves as the
second of the next one on the retained data.
"""

from dataclasses import dataclass
from pathlib import Path

import torch

from tasks.checkout.checkout import Checkout, short
from tasks.checkout.files import code_digest, write_record
from tasks.computing.checkpoints import is_whole, read_checkpoint_card
from tasks.computing.execution import device_name
from tasks.computing.materials import read_split, retain_mask
from tasks.computing.training import train_checkpoint
from tasks.data.pool import Pool
from unlearn_core import data, models, training
from unlearn_core.data import Samples
from unlearn_core.errors import ConfigurationError, PipelineError
from unlearn_core.progress import OnStep
from unlearn_core.records.artifact import CheckpointCard, Recipe
from unlearn_core.records.base import Sha256
from unlearn_core.records.evaluation import Cost
from unlearn_core.records.params import RunParams
from unlearn_core.records.policy import MOST_REFERENCES
from unlearn_core.records.reference import Training
from unlearn_core.seeds import derive_seed


@dataclass(frozen=True)
class ShadowPair:
    """Two models with one seed.

    Attributes:
        before: The folder of the one trained on all the data, before unlearning.
        without: The folder of the one trained without what is forgotten, a retrained model.
    """

    before: Path
    without: Path


@dataclass(frozen=True)
class References:
    """The finished models of one request, in the order of their seeds.

    Attributes:
        retrained: The folders of the models trained without what is forgotten.
        pairs: Those of them that have a counterpart, with that.
    """

    retrained: tuple[Path, ...]
    pairs: tuple[ShadowPair, ...]

    @property
    def chosen(self) -> Path | None:
        """The retrained model that figures show and distances are measured from, if any."""
        return next(iter(self.retrained), None)

    def first(self, retrained: int, pairs: int) -> "References":
        """Return at most this many of each."""
        return References(self.retrained[:retrained], self.pairs[:pairs])


NOTHING = References((), ())
"""Used if nothing was retrained to compare with."""


def references_of(checkout: Checkout, run: RunParams) -> References:
    """Return every finished retrained model and shadow pair of the current request.

    Args:
        checkout: The checkout, with its request split.
        run: Base seed and threads.

    Returns:
        The models; none if it is unknown how the parent was trained.
    """
    parent, split = read_checkpoint_card(checkout.parent), read_split(checkout)
    if (recipe := parent.recipe) is None:
        return NOTHING
    retrained: list[Path] = []
    pairs: list[ShadowPair] = []
    for index in range(MOST_REFERENCES):
        without, before = (
            find_trained(checkout, describe_training(parent, recipe, run, data_digest=digest, index=index))
            for digest in (split.retained, split.data)
        )
        if without is not None:
            retrained.append(without)
            if before is not None:
                pairs.append(ShadowPair(before, without))
    return References(tuple(retrained), tuple(pairs))


def describe_training(
    parent: CheckpointCard, recipe: Recipe, run: RunParams, *, data_digest: Sha256, index: int
) -> Training:
    """Name everything that a retrained model's bits depend on.

    Args:
        parent: The model to train again.
        recipe: How.
        run: Base seed and threads.
        data_digest: The digest of the data set to train on.
        index: Which of the models on that data, from 0; the gate uses the first.

    Returns:
        The training with the present code, torch and device.
    """
    purpose = "reference" if index == 0 else f"reference {index}"
    return Training(
        data=data_digest,
        architecture=parent.architecture,
        recipe=recipe,
        normalisation=parent.normalisation,
        seed=derive_seed(run.seed, purpose),
        threads=run.threads,
        code=code_digest(data, models, training),
        torch=torch.__version__,
        device=device_name(),
    )


def find_trained(checkout: Checkout, wanted: Training) -> Path | None:
    """Return the folder of a finished model, or None; a pinned one takes precedence over a cached one."""
    places = (checkout.reference(short(wanted.digest)), _cached(checkout, wanted))
    return next((folder for folder in places if is_whole(folder)), None)


def recipe_of(parent: CheckpointCard, *, purpose: str = "", instead: str = "") -> Recipe:
    """Return how a model was trained, so that it can be retrained.

    Args:
        parent: The model's card.
        purpose: What it would be retrained for, to follow on "nothing can be retrained".
        instead: What else can be done, to follow on the advice.

    Returns:
        The recipe.

    Raises:
        ConfigurationError: If it is unknown.
    """
    if parent.recipe is None:
        raise ConfigurationError(
            f"it is unknown how the parent was trained, so nothing can be retrained{purpose}; adopt the "
            f"model with its --recipe{instead}"
        )
    return parent.recipe


def find_or_train(checkout: Checkout, wanted: Training) -> Path:
    """Return the folder of a finished model; a missing one is trained now, into the cache."""
    if (found := find_trained(checkout, wanted)) is None:
        found = _cached(checkout, wanted)
        train_described(checkout, wanted, found)
    return found


def train_described(
    checkout: Checkout, wanted: Training, folder: Path, *, on_step: OnStep | None = None
) -> tuple[CheckpointCard, Cost]:
    """Train a model in this process, and write it and its cost.

    Args:
        checkout: The checkout.
        wanted: What to train.
        folder: Where to write; replaced if it exists.
        on_step: Called for every epoch; None shows a bar.

    Returns:
        The card and the cost.
    """
    card, cost = train_checkpoint(
        folder,
        training_rows(checkout, Pool(checkout, torch.device("cpu")), wanted.data),
        architecture=wanted.architecture,
        recipe=wanted.recipe,
        normalisation=wanted.normalisation,
        data=wanted.data,
        seed=wanted.seed,
        threads=wanted.threads,
        title="retrain the reference",
        on_step=on_step,
    )
    write_record(checkout.cost(card.weights), cost)
    return card, cost


def training_rows(checkout: Checkout, pool: Pool, data_digest: Sha256) -> Samples:
    """Return the rows that a model is trained on.

    Args:
        checkout: The checkout.
        pool: Its data set.
        data_digest: The digest of the data set, or of what the request retains.

    Returns:
        The samples, in order.

    Raises:
        PipelineError: If the digest matches neither.
    """
    split = read_split(checkout)
    if data_digest == split.retained:
        return pool.take(retain_mask(split, pool.manifest))
    if data_digest == split.data:
        return pool.split("train")
    raise PipelineError(
        f"the request {split.request} is about data {split.data} and retains {split.retained}, not "
        f"{data_digest}; run `dvc repro split`"
    )


def _cached(checkout: Checkout, wanted: Training) -> Path:
    """Return where the pipeline caches a reference, unpinned."""
    return checkout.lethe / "references" / short(wanted.digest)
