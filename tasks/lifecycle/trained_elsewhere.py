"""A model trained elsewhere: its card, and its accuracy beside what is claimed."""

import torch
from torch import nn

from tasks.computing.accuracy import HELD_OUT, ask
from tasks.computing.execution import computing
from tasks.computing.training import UNWRITTEN
from tasks.data.pool import Pool
from unlearn_core.errors import ConfigurationError, LetheError
from unlearn_core.evaluating import observe
from unlearn_core.intervals import Estimate
from unlearn_core.records.artifact import Architecture, CheckpointCard, Recipe
from unlearn_core.records.data import DatasetCard


def adopted_card(architecture: Architecture, data: DatasetCard, recipe: Recipe | None) -> CheckpointCard:
    """Return the card of a model trained elsewhere; its weights' digest is filled in on saving."""
    return CheckpointCard(
        architecture=architecture,
        normalisation=data.normalisation,
        weights=UNWRITTEN,
        data=data.rows_digest,
        seed=None,
        threads=None,
        recipe=recipe,
        method="adopt",
    )


def measure_accuracy(model: nn.Module, pool: Pool, *, threads: int) -> Estimate:
    """Measure a model's accuracy on all held-out rows.

    Args:
        model: The model.
        pool: The data set, on the CPU or the model's device.
        threads: On the CPU.

    Returns:
        The accuracy, with its 95 % interval.

    Raises:
        ConfigurationError: If the model cannot take the images, or does not return logits of the classes.
    """
    with computing(threads) as device:
        _refuse_unfit(model.to(device), pool, device)
    return ask(model, [pool.split(split) for split in HELD_OUT], threads=threads).accuracy()


def _refuse_unfit(model: nn.Module, pool: Pool, device: torch.device) -> None:
    """Run a model on two images, as it will be used."""
    few = pool.split("test").subset(torch.arange(2)).to(device)
    try:
        logits = observe(model, few, batch_size=2).logits
    except LetheError as error:
        raise ConfigurationError(f"the model cannot be judged: {error}") from error
    except Exception as error:  # a user's code
        raise ConfigurationError(
            f"the model cannot take images of {list(pool.card.input_shape)} (channels, height, width): "
            f"{error}; give the size and the channels that it was trained on"
        ) from error
    if logits.shape[1:] != (len(pool.card.classes),):
        raise ConfigurationError(
            f"the model returns {list(logits.shape[1:])} numbers per image, the data has "
            f"{len(pool.card.classes)} classes"
        )


def refuse_false_claim(found: Estimate, claimed: float | None, classes: int, *, turned: int = 0) -> None:
    """Refuse a model whose accuracy contradicts its card, or is no better than guessing.

    Args:
        found: The measured accuracy.
        claimed: The claimed one; None if nothing was claimed.
        classes: How many there are.
        turned: How many images carry an orientation tag, which a training may or may not have followed.

    Raises:
        ConfigurationError: If the claim is outside the interval, or the accuracy no better than guessing.
    """
    assert found.low is not None
    assert found.high is not None
    measured = (
        f"the model classifies {found.value:.2%} of {found.samples} held-out images correctly (95 % interval "
        f"{found.low:.2%} to {found.high:.2%})"
    )
    hint = "check the order of the classes, the normalisation and the image size, and that this is its data"
    if turned:
        hint += (
            f"; {turned} image(s) carry an orientation tag: say in its card whether its training followed it"
        )
    if claimed is not None and not found.low <= claimed <= found.high:
        raise ConfigurationError(f"{measured}, but {claimed:.2%} was claimed; {hint}")
    if claimed is None and found.low <= 1 / classes:
        raise ConfigurationError(f"{measured}, no better than guessing; {hint}")
