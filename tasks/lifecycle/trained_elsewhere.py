"""A checkpoint trained elsewhere: read without unpickling, and compared with its claims."""

from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from tasks.checkout.progress import progress
from tasks.computing.execution import computing
from tasks.computing.training import UNWRITTEN
from tasks.data.pool import Pool
from tasks.lifecycle.claims import require_weights
from unlearn_core.errors import ConfigurationError, LetheError
from unlearn_core.evaluating import observe
from unlearn_core.intervals import Estimate, proportion
from unlearn_core.models import build
from unlearn_core.modes import mode
from unlearn_core.progress import Step
from unlearn_core.records.artifact import Architecture, CheckpointCard, Recipe
from unlearn_core.records.data import DatasetCard

_BATCH_SIZE = 256
_HELD_OUT = ("tuning", "audit", "test")
WRAPPED = ("module.", "_orig_mod.")
"""The prefixes that torch adds to every name if a net was trained in parallel, or compiled."""


def read_weights(path: Path) -> dict[str, Tensor]:
    """Read a checkpoint's tensors; a prefix that torch's wrappers added to all names is removed.

    Args:
        path: A safetensors file.

    Returns:
        The tensors by name; anything else is refused, as by ``require_weights``.
    """
    require_weights(path)
    tensors = load_file(path)
    for prefix in WRAPPED:
        if tensors and all(name.startswith(prefix) for name in tensors):
            tensors = {name.removeprefix(prefix): tensor for name, tensor in tensors.items()}
    return tensors


def fit_weights(architecture: Architecture, tensors: dict[str, Tensor]) -> nn.Module:
    """Build a net and load a checkpoint's weights into it, in the net's precision.

    Args:
        architecture: The net.
        tensors: The checkpoint.

    Returns:
        The model, in eval mode.

    Raises:
        ConfigurationError: If the net cannot be built, or the weights do not fit it; every problem is listed.
    """
    model = _built(architecture)
    if problems := _misfits(model.state_dict(), tensors):
        raise ConfigurationError(
            "\n  ".join([f"the weights do not fit {architecture.name}:", *problems])
            + "\nname the net that they were trained in, with as many classes as the data has "
            f"({len(architecture.classes)})"
        )
    model.load_state_dict(tensors)
    return model.eval()


def _built(architecture: Architecture) -> nn.Module:
    """Build a net, and turn any error in the user's code into one message."""
    try:
        model = build(architecture)
    except LetheError:
        raise
    except Exception as error:
        raise ConfigurationError(f"{architecture.name} cannot be built: {error!r}") from error
    if not isinstance(model, nn.Module):
        raise ConfigurationError(
            f"{architecture.name} returned {type(model).__name__}, expected a torch module"
        )
    return model


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


def _misfits(wanted: dict[str, Tensor], found: dict[str, Tensor]) -> list[str]:
    """Return how a checkpoint's tensors differ from a net's."""
    problems = [f"{name} is missing" for name in wanted if name not in found]
    problems += [f"{name} is not in the net" for name in found if name not in wanted]
    for name, tensor in found.items():
        if name in wanted and tensor.shape != wanted[name].shape:
            problems.append(f"{name} is {list(tensor.shape)}, the net has {list(wanted[name].shape)}")
        elif not torch.isfinite(tensor).all():
            problems.append(f"{name} is not finite")
    return [*problems[:20], *([f"and {len(problems) - 20} more"] if len(problems) > 20 else [])]


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
    right = done = 0
    parts = [pool.split(split) for split in _HELD_OUT]
    total = sum(map(len, parts))
    with computing(threads) as device, progress("measure the accuracy") as on_step:
        model = model.to(device)
        _refuse_unfit(model, pool, device)
        with mode(model, "eval"), torch.no_grad():
            for part in parts:
                for batch in part.to(device).batches(_BATCH_SIZE):
                    right += int((model(batch.inputs).argmax(1) == batch.labels).sum())
                    done += len(batch)
                    on_step(Step("images", done, total))
    return proportion(right, total)


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
