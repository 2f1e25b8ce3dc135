"""Checkpoints and second moments on disk: safetensors and a JSON card; pickles are never loaded."""

from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import nn

from tasks.checkout.files import file_digest, read_record, replaced_folder, write_record
from tasks.computing.own_nets import allow_net
from tasks.computing.states import save_states
from tasks.computing.tensors import read_one_by_one, save_one_by_one, save_tensors
from unlearn_core.errors import LetheError, PipelineError
from unlearn_core.models import build
from unlearn_core.moments import Moments
from unlearn_core.on_demand import OnDemand
from unlearn_core.records.artifact import CheckpointCard, LayerMoments, MomentsCard
from unlearn_core.records.base import Sha256
from unlearn_core.rewinding import TrainingState

WEIGHTS = "model.safetensors"
TENSORS = "moments.safetensors"
CARD = "card.json"


def save_checkpoint(
    folder: Path, model: nn.Module, card: CheckpointCard, *, states: Sequence[TrainingState] = ()
) -> CheckpointCard:
    """Write a model's weights and its card; the folder appears whole.

    Args:
        folder: Where to write; replaced if it exists.
        model: The model.
        card: Its card; the weights' digest is filled in here.
        states: Where its training stood earlier, to be kept beside it.

    Returns:
        The card as written.
    """
    with replaced_folder(folder) as fresh:
        save_tensors(fresh / WEIGHTS, _tensors(model))
        written = CheckpointCard(**{**dict(card), "weights": file_digest(fresh / WEIGHTS)})
        write_record(fresh / CARD, written)
        save_states(fresh, states)
    return written


def _tensors(model: nn.Module) -> dict[str, torch.Tensor]:
    """Return a model's tensors, each in separate memory: layers may share tensors, files cannot."""
    state = model.state_dict()
    return {
        name: tensor.detach().cpu().clone(memory_format=torch.contiguous_format)
        for name, tensor in state.items()
    }


def read_checkpoint_card(folder: Path) -> CheckpointCard:
    """Read a checkpoint's card."""
    return read_record(folder / CARD, CheckpointCard)


def load_checkpoint(folder: Path) -> tuple[nn.Module, CheckpointCard]:
    """Load a model, in eval mode, and its card.

    Args:
        folder: A checkpoint's folder.

    Returns:
        The model and the card.

    Raises:
        PipelineError: If the weights do not match the card's digest, or do not fit the net.
        ConfigurationError: If the card names a user's own net that the operator has not named.
    """
    card = read_checkpoint_card(folder)
    _verify(folder / WEIGHTS, card.weights)
    allow_net(card.architecture.name, folder)
    model = build(card.architecture)
    try:
        model.load_state_dict(load_file(folder / WEIGHTS))
    except RuntimeError as error:
        raise PipelineError(f"{folder} does not fit the net {card.architecture.name}: {error}") from error
    return model.eval(), card


def is_whole(folder: Path) -> bool:
    """Tell whether a checkpoint exists, with the weights that its card names."""
    try:
        _verify(folder / WEIGHTS, read_checkpoint_card(folder).weights)
    except LetheError:
        return False
    return True


def save_moments(
    folder: Path, moments: Moments, *, model: Sha256, data: Sha256, carried_to: Sha256 | None = None
) -> MomentsCard:
    """Write second moments and their card; the folder appears whole.

    Args:
        folder: Where to write; replaced if it exists.
        moments: The second moments.
        model: The digest of the weights that they were taken at.
        data: The digest of the data that they were taken over.
        carried_to: The digest of the later weights that they are for, if they were carried.

    Returns:
        The card.
    """
    layers = tuple(
        LayerMoments(layer=name, groups=len(c), dimension=c.shape[-1], positions=moments.positions[name])
        for name, c in moments.layers.items()
    )
    with replaced_folder(folder) as fresh:
        shapes = {one.layer: (one.groups, one.dimension, one.dimension) for one in layers}
        save_one_by_one(fresh / TENSORS, moments.layers, shapes)
        tensors = file_digest(fresh / TENSORS)
        card = MomentsCard(
            model=model,
            data=data,
            tensors=tensors,
            samples=moments.samples,
            layers=layers,
            carried_to=carried_to,
        )
        write_record(fresh / CARD, card)
    return card


def load_moments(folder: Path) -> tuple[Moments, MomentsCard]:
    """Load second moments and their card; each layer is read when it is asked for."""
    card = read_record(folder / CARD, MomentsCard)
    _verify(folder / TENSORS, card.tensors)
    read = read_one_by_one(folder / TENSORS)
    positions = {entry.layer: entry.positions for entry in card.layers}
    layers = OnDemand(positions, lambda name: read[name].to(torch.float64))
    return Moments(layers=layers, positions=positions, samples=card.samples), card


def _verify(path: Path, expected: Sha256) -> None:
    """Refuse a file that is not the one its card names."""
    if not path.is_file():
        raise PipelineError(f"{path} does not exist; run `dvc repro`, or `dvc pull`")
    if (found := file_digest(path)) != expected:
        raise PipelineError(
            f"{path} has digest {found}, its card says {expected}; fetch it again with `dvc checkout`"
        )
