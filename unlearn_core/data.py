"""Samples, read only when they are needed, and batches of them in a seeded order.

The store holds pixels, one byte each, or numbers as they are; a sample is a row of it. Subsets, classes and
orders are lists of rows, and only a batch becomes normalised numbers on a device. So a data set may be in
memory, or in a file larger than memory, and the batches have the same bits.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageOps
from torch import Tensor

from unlearn_core.errors import UsageError
from unlearn_core.image_formats import open_format
from unlearn_core.records.data import Normalisation


class Store(Protocol):
    """Rows that are not held in memory."""

    def __len__(self) -> int:
        """Count the rows."""
        ...

    def __getitem__(self, rows: Tensor, /) -> Tensor:
        """Return the rows at int64 indices, on the CPU, in their order."""
        ...


@dataclass(frozen=True)
class Samples:
    """Labelled inputs: ``Samples(inputs, labels)`` holds the inputs as they are.

    Attributes:
        store: ``[stored, ...]``; with a normalisation, pixels as bytes.
        labels: ``[samples]``, int64, on the device where the inputs are wanted.
        rows: ``[samples]``, int64 on the CPU: each sample's row in the store; None means all, in order.
        normalisation: How to normalise pixels; None leaves the store's numbers as they are.
    """

    store: Tensor | Store
    labels: Tensor
    rows: Tensor | None = None
    normalisation: Normalisation | None = None

    def __post_init__(self) -> None:
        if (inputs := len(self.store if self.rows is None else self.rows)) != len(self.labels):
            raise UsageError(f"{inputs} inputs came with {len(self.labels)} labels; expected as many")

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def inputs(self) -> Tensor:
        """All inputs at once, on the labels' device; pixels become normalised float32."""
        found = self._stored().to(self.labels.device)
        return found if self.normalisation is None else normalise(unit(found), self.normalisation)

    def _stored(self) -> Tensor:
        """Return the samples as they are stored."""
        store = self.store
        if isinstance(store, Tensor):
            return store if self.rows is None else store[self.rows.to(store.device)]
        return store[torch.arange(len(self)) if self.rows is None else self.rows]

    def subset(self, rows: Tensor) -> "Samples":
        """Return the samples at ``rows`` (indices or a mask), in that order."""
        place = torch.arange(len(self)) if self.rows is None else self.rows
        return replace(self, labels=self.labels[rows.to(self.labels.device)], rows=place[rows.to("cpu")])

    def of_classes(self, classes: tuple[int, ...], *, exclude: bool = False) -> "Samples":
        """Return the samples whose label is (or, with ``exclude``, is not) among ``classes``."""
        member = torch.isin(self.labels, torch.tensor(classes, device=self.labels.device))
        return self.subset(~member if exclude else member)

    def to(self, device: torch.device | str) -> "Samples":
        """Return the samples on a device; a store in memory moves there as it is, any other stays."""
        store = self.store.to(device) if isinstance(self.store, Tensor) else self.store
        return replace(self, store=store, labels=self.labels.to(device))

    def batches(self, size: int, *, generator: torch.Generator | None = None) -> Iterator["Samples"]:
        """Yield batches of ``size`` samples, the last one shorter, in order or shuffled.

        Args:
            size: Samples per batch.
            generator: Where the shuffle's randomness comes from; without one the order is kept.

        Yields:
            The batches, each with its inputs loaded.
        """
        count = len(self)
        order = torch.arange(count) if generator is None else torch.randperm(count, generator=generator)
        for rows in order.split(size) if count else ():
            batch = self.subset(rows)
            yield Samples(batch.inputs, batch.labels)


def concatenate(*parts: Samples) -> Samples:
    """Return all samples of all parts, in order."""
    labels = torch.cat([part.labels for part in parts])
    first = parts[0]
    if all(part.store is first.store and part.normalisation == first.normalisation for part in parts):
        places = [torch.arange(len(part)) if part.rows is None else part.rows for part in parts]
        return replace(first, labels=labels, rows=torch.cat(places))
    return Samples(torch.cat([part.inputs for part in parts]), labels)


def drawn(samples: Samples, count: int, *, generator: torch.Generator) -> Samples:
    """Draw ``count`` samples; if there are no more than that, take all of them, in order."""
    if len(samples) <= count:
        return samples
    rows = torch.randperm(len(samples), generator=generator)[:count]
    return samples.subset(rows.to(samples.labels.device))


def balanced(samples: Samples, per_class: int, *, generator: torch.Generator) -> Samples:
    """Draw up to ``per_class`` samples of every class that occurs, in class order."""
    device = samples.labels.device
    order = torch.randperm(len(samples), generator=generator).to(device)
    labels = samples.labels[order]
    rows = [order[labels == label][:per_class] for label in samples.labels.unique()]
    return samples.subset(torch.cat(rows))


def open_image(encoded: bytes) -> Image.Image:
    """Decode an image file.

    Args:
        encoded: PNG, JPEG or another of the formats that are read.

    Returns:
        The image, all of it decoded.

    Raises:
        UsageError: If it is no image, is cut off or damaged, or has more than eight bits per channel; the
            message is a few words.
    """
    try:
        image = open_format(encoded)
        image.load()
    except UsageError:
        raise
    except Exception as error:  # each decoder fails on a damaged file in its own way
        raise UsageError(f"damaged: {error}") from error
    if image.mode.startswith(("I", "F")):
        raise UsageError(f"of mode {image.mode}; expected at most 8 bits per channel")
    return image


def pixels_of(image: Image.Image, channels: int, size: tuple[int, int] | None = None) -> NDArray[np.uint8]:
    """Return an image's pixels.

    Args:
        image: Decoded.
        channels: 1 for grey, 3 for colour.
        size: Height and width: the image is scaled until it covers them, and its centre is kept.

    Returns:
        ``[channels, height, width]``.
    """
    converted = image.convert("L" if channels == 1 else "RGB")
    if size is not None and (converted.height, converted.width) != size:
        converted = ImageOps.fit(converted, (size[1], size[0]), method=Image.Resampling.BILINEAR)
    height, width = converted.height, converted.width
    return np.asarray(converted).reshape(height, width, channels).transpose(2, 0, 1)


def decode(images: Sequence[bytes], channels: int) -> NDArray[np.float32]:
    """Decode images of one size.

    Args:
        images: Encoded files (PNG, JPEG, …).
        channels: 1 for grey, 3 for colour.

    Returns:
        ``[images, channels, height, width]``, float32 in [0, 1].
    """
    stacked = np.stack([pixels_of(open_image(image), channels) for image in images])
    return (stacked / np.float32(255)).astype(np.float32)


def unit(pixels: Tensor) -> Tensor:
    """Return pixels as float32 in [0, 1], with the same bits on every device."""
    # Divide by a tensor: for a plain number, some devices multiply by its reciprocal instead.
    return pixels.float() / torch.tensor(255.0, device=pixels.device)


def normalise(pixels: Tensor, normalisation: Normalisation) -> Tensor:
    """Shift and scale ``[n, channels, height, width]`` pixels in [0, 1], channel by channel."""
    mean = torch.tensor(normalisation.mean, dtype=pixels.dtype, device=pixels.device)
    std = torch.tensor(normalisation.std, dtype=pixels.dtype, device=pixels.device)
    return (pixels - mean[:, None, None]) / std[:, None, None]
