"""Torchvision's classification data sets as a source: those with a training and a test part."""

import inspect
import io
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.checkout.log import tell
from tasks.data.images import Images
from tasks.data.incoming import Incoming, deal_splits
from unlearn_core.errors import ConfigurationError, SetupError
from unlearn_core.records.params import TorchvisionSource

_PARTS = ("train", "test")
LABELS = ("targets", "labels", "_labels")
"""Where torchvision keeps labels, so that no image has to be read to get them."""


class TorchvisionSets(Images[TorchvisionSource]):
    """Torchvision's classification data sets."""

    settings = TorchvisionSource

    def listed(self, root: Path, params: TorchvisionSource) -> Incoming:
        """List the images; see ``list_torchvision``."""
        return list_torchvision(root, params)

    def origin(self, params: TorchvisionSource) -> str:
        """Return the name of the data set."""
        return params.dataset


def list_torchvision(root: Path, params: TorchvisionSource) -> Incoming:
    """List the images of one of torchvision's data sets, downloading it if missing.

    Args:
        root: What a relative ``root`` in the settings is relative to.
        params: Which data set.

    Returns:
        The rows, training rows first.

    Raises:
        ConfigurationError: If its classes are not those in the settings.
    """
    folder = root / Path(params.root).expanduser()
    sets = [_open(params.dataset, folder, part) for part in _PARTS]
    names = [str(name) for name in getattr(sets[0], "classes", [])]
    numbers = [_labels(one) for one in sets]
    names = names or [str(number) for number in range(int(max(one.max() for one in numbers)) + 1)]
    classes = params.classes or tuple(names)
    if sorted(classes) != sorted(names):
        raise ConfigurationError(f"dataset.classes: torchvision's {params.dataset} has {', '.join(names)}")
    place = np.array([classes.index(name) for name in names], dtype=np.int64)
    labels = place[np.concatenate(numbers)]
    count = len(sets[0])
    return Incoming(
        sample_ids=[
            f"{part}/{row:07d}" for part, one in zip(_PARTS, sets, strict=True) for row in range(len(one))
        ],
        labels=labels,
        splits=deal_splits(labels, np.arange(len(labels)) >= count, params),
        subject_ids=[""] * len(labels),
        sizes=np.zeros(len(labels), dtype=np.int64),
        stamps=np.zeros(len(labels), dtype=np.int64),
        classes=classes,
        read=lambda row: _png(sets[0][row][0] if row < count else sets[1][row - count][0]),
    )


def _open(name: str, folder: Path, part: str) -> Any:
    """Open one part of a data set."""
    from torchvision import datasets

    kind = getattr(datasets, name, None) if name in datasets.__all__ else None
    accepted = {} if kind is None else inspect.signature(kind).parameters
    if kind is None or not {"train", "split"} & accepted.keys() or "root" not in accepted:
        raise ConfigurationError(
            f"dataset.dataset: torchvision has no classification set {name!r} of two parts; it has, for "
            "example, CIFAR10, CIFAR100, FashionMNIST, MNIST and SVHN"
        )
    which = {"train": part == "train"} if "train" in accepted else {"split": part}
    if "download" in accepted:
        tell(f"  {name} ({part}): looked up in {folder.name}, downloaded if missing")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return kind(root=str(folder), **which, **({"download": True} if "download" in accepted else {}))
    except Exception as error:  # a network, a missing package, a name for another kind of data
        # Error messages are stored, and a full path may name a person.
        said = str(error).replace(str(folder), folder.name)
        raise SetupError(f"torchvision's {name} cannot be opened: {said}") from error


def _labels(one: Any) -> NDArray[np.int64]:
    """Return a data set's labels, reading the images only if it keeps no list."""
    kept = next((getattr(one, name) for name in LABELS if hasattr(one, name)), None)
    return np.asarray([one[row][1] for row in range(len(one))] if kept is None else kept, dtype=np.int64)


def _png(image: Any) -> bytes:
    """Encode an image losslessly."""
    stream = io.BytesIO()
    image.save(stream, format="PNG")
    return stream.getvalue()
