"""Samples as tensors, and batches of them in a seeded order."""

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from unlearn_core.errors import UsageError
from unlearn_core.records.data import Normalisation


@dataclass(frozen=True)
class Samples:
    """Labelled inputs, normalised and on one device.

    Attributes:
        inputs: ``[samples, channels, height, width]``, float32.
        labels: ``[samples]``, int64.
    """

    inputs: Tensor
    labels: Tensor

    def __post_init__(self) -> None:
        if len(self.inputs) != len(self.labels):
            raise UsageError(
                f"{len(self.inputs)} inputs came with {len(self.labels)} labels; expected as many"
            )

    def __len__(self) -> int:
        return len(self.labels)

    def subset(self, rows: Tensor) -> "Samples":
        """Return the samples at ``rows`` (indices or a mask), in that order."""
        return Samples(self.inputs[rows], self.labels[rows])

    def of_classes(self, classes: tuple[int, ...], *, exclude: bool = False) -> "Samples":
        """Return the samples whose label is (or, with ``exclude``, is not) among ``classes``."""
        member = torch.isin(self.labels, torch.tensor(classes, device=self.labels.device))
        return self.subset(~member if exclude else member)

    def to(self, device: torch.device | str) -> "Samples":
        """Return the samples on a device."""
        return Samples(self.inputs.to(device), self.labels.to(device))

    def batches(self, size: int, *, generator: torch.Generator | None = None) -> Iterator["Samples"]:
        """Yield batches of ``size`` samples, the last one shorter, in order or shuffled.

        Args:
            size: Samples per batch.
            generator: Where the shuffle's randomness comes from; without one the order is kept.

        Yields:
            The batches.
        """
        device = self.labels.device
        order = None if generator is None else torch.randperm(len(self), generator=generator).to(device)
        for start in range(0, len(self), size):
            rows = slice(start, start + size)
            yield self.subset(rows if order is None else order[rows])  # pyright: ignore[reportArgumentType]


def concatenate(*parts: Samples) -> Samples:
    """Return all samples of all parts, in order."""
    return Samples(torch.cat([part.inputs for part in parts]), torch.cat([part.labels for part in parts]))


def balanced(samples: Samples, per_class: int, *, generator: torch.Generator) -> Samples:
    """Draw up to ``per_class`` samples of every class that occurs, in class order.

    Args:
        samples: What to draw from.
        per_class: How many of each class; all of them where there are fewer.
        generator: Where the draw's randomness comes from.

    Returns:
        The drawn samples.
    """
    device = samples.labels.device
    order = torch.randperm(len(samples), generator=generator).to(device)
    labels = samples.labels[order]
    rows = [order[labels == label][:per_class] for label in samples.labels.unique()]
    return samples.subset(torch.cat(rows))


def decode(images: Sequence[bytes], channels: int) -> NDArray[np.float32]:
    """Decode images of one size.

    Args:
        images: Encoded files (PNG, JPEG, …).
        channels: 1 for grey, 3 for colour.

    Returns:
        ``[images, channels, height, width]``, float32 in [0, 1].
    """
    mode = "L" if channels == 1 else "RGB"
    pixels = [np.asarray(Image.open(io.BytesIO(image)).convert(mode)) for image in images]
    stacked = np.stack(pixels).reshape(len(images), *pixels[0].shape[:2], channels)
    return (stacked.transpose(0, 3, 1, 2) / np.float32(255)).astype(np.float32)


def normalise(pixels: Tensor, normalisation: Normalisation) -> Tensor:
    """Shift and scale ``[n, channels, height, width]`` pixels in [0, 1], channel by channel."""
    mean = torch.tensor(normalisation.mean, dtype=pixels.dtype, device=pixels.device)
    std = torch.tensor(normalisation.std, dtype=pixels.dtype, device=pixels.device)
    return (pixels - mean[:, None, None]) / std[:, None, None]
