"""A model that somebody handed in to be judged: a stranger's file, of which nothing is believed.

It is weights alone: no code comes with it. What is read is a copy, so that nothing can be exchanged while it
is judged. The first checks load no torch.
"""

import os
import shutil
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from tasks.checkout.checkout import Checkout
from tasks.checkout.files import file_digest
from tasks.checkout.regular import open_regular
from tasks.lifecycle.claims import require_weights
from unlearn_core.errors import ConfigurationError, SetupError, UnlearningError
from unlearn_core.records.artifact import Architecture, CheckpointCard
from unlearn_core.records.base import Sha256
from unlearn_core.records.judged import HandedIn

ROOM = 64 * 1024 * 1024
"""The bytes that a file of weights may hold beside four times what the net takes: a trainer's own state."""


@dataclass(frozen=True)
class Handed:
    """What was handed in.

    Attributes:
        weights: The file.
        architecture: The net that it is of; None for that of the model before.
        part: The name under which the net lies in it, if it lies in several places.
    """

    weights: Path
    architecture: str | None = None
    part: str | None = None


def require_candidate(checkout: Checkout, handed: Handed) -> None:
    """Refuse a candidate that could never be judged, before anything heavy is loaded.

    Args:
        checkout: The checkout, with its parent.
        handed: What was handed in.

    Raises:
        SetupError: If the file is missing, a link, or anything but a regular file, or there is no model here
            that it could have been made from.
        ConfigurationError: If it is not of safetensors, or too large for the net.
    """
    size, parent = _size(handed.weights), checkout.parent / "model.safetensors"
    if not parent.is_file():
        raise SetupError(f"there is no model to compare it with ({parent}); `lethe train` makes it")
    if handed.architecture is None:
        _refuse_huge(handed.weights, size, needed=parent.stat().st_size)
    require_weights(handed.weights)


def require_line(by: str | None) -> None:
    """Refuse what could not be kept of who handed a model in; the message does not repeat it.

    Raises:
        ConfigurationError: If it is not one line of text.
    """
    try:
        _ = by is None or HandedIn(by=by, salt=64 * "0")
    except ValidationError:
        raise ConfigurationError(
            "--by is not one line of at most 1,000 letters; shorten it, or leave it out"
        ) from None


def _size(path: Path) -> int:
    """Return the size of a regular file.

    Raises:
        SetupError: If it is a link, or anything else.
    """
    try:
        if stat.S_ISLNK(os.lstat(path).st_mode):
            raise SetupError(f"{path} is a link; hand in the file itself, so that it is known what is judged")
        with open_regular(path) as file:
            return os.fstat(file.fileno()).st_size
    except OSError as error:
        raise SetupError(f"cannot read the candidate {path}: {error.strerror}") from error


def _refuse_huge(path: Path, size: int, *, needed: int) -> None:
    if size > (most := 4 * needed + ROOM):
        raise ConfigurationError(
            f"{path} has {size} bytes, and the weights of its net take {needed}: more than {most} are not "
            "read. Hand in the net's weights alone: safetensors.torch.save_file(model.state_dict(), …)"
        )


def net_of(handed: Handed, parent: CheckpointCard) -> Architecture:
    """Return the net of a candidate: that of the model before, unless another was named."""
    known = dict(parent.architecture)
    return Architecture(**{**known, "name": handed.architecture or parent.architecture.name})


def take_in(handed: Handed, net: Architecture, folder: Path) -> tuple[Path, Sha256]:
    """Copy a candidate's file, if it is not much larger than its net.

    The net's code runs, so the operator must have allowed it.

    Args:
        handed: What was handed in.
        net: Its net.
        folder: Where to.

    Returns:
        The copy, and its digest.
    """
    from tasks.lifecycle.fitting import build_net

    needed = sum(one.nbytes for one in build_net(net).state_dict().values())
    _refuse_huge(handed.weights, _size(handed.weights), needed=needed)
    copy = folder / "candidate.safetensors"
    with open_regular(handed.weights) as given, copy.open("wb") as kept:
        shutil.copyfileobj(given, kept)
    return copy, file_digest(copy)


def load_candidate(
    copy: Path, handed: Handed, net: Architecture, parent: CheckpointCard, folder: Path
) -> CheckpointCard:
    """Load a candidate's weights into its net, and save it as a checkpoint.

    Args:
        copy: The copy of its file.
        handed: What was handed in.
        net: Its net.
        parent: The card of the model before, which says how images are normalised.
        folder: Where the checkpoint goes.

    Returns:
        Its card. Weights that do not fit the net are refused, as by ``fit_weights``.
    """
    import torch

    from tasks.computing.checkpoints import save_checkpoint
    from tasks.computing.training import UNWRITTEN
    from tasks.lifecycle.fitting import fit_weights, read_weights

    with torch.no_grad():
        model = fit_weights(net, read_weights(copy), part=handed.part, exact=True)
    unknown = {"seed": None, "threads": None, "recipe": None, "method": "unknown", "trained": None}
    card = CheckpointCard(**{**dict(parent), **unknown, "architecture": net, "weights": UNWRITTEN})
    return save_checkpoint(folder, model, card)


def refuse_broken(look: Callable[[], object]) -> None:
    """Show a candidate what it will be judged on, and refuse it if it cannot answer.

    Args:
        look: Shows it.

    Raises:
        ConfigurationError: If the answers are not finite, or its net does not take these images.
    """
    try:
        look()
    except UnlearningError as error:
        raise ConfigurationError(f"the candidate cannot be judged: {error}") from error
    except RuntimeError as error:  # of the code of somebody's net
        raise ConfigurationError(f"the candidate cannot take the project's images: {error}") from error
