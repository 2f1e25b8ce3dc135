"""A data set, decoded once and cut into parts."""

import numpy as np
import torch
from numpy.typing import NDArray

from tasks.datasets import read_card, read_images, read_manifest
from tasks.layout import Layout
from unlearn_core.data import Samples, decode, normalise
from unlearn_core.selection import Manifest


class Pool:
    """A data set decoded once, and the parts of it that a request tells apart."""

    def __init__(self, layout: Layout, device: torch.device) -> None:
        """Read every image.

        Args:
            layout: The checkout.
            device: Where the tensors live.
        """
        self.card = read_card(layout.dataset)
        self.manifest: Manifest = read_manifest(layout.dataset)
        images = read_images(layout.dataset, np.ones(len(self.manifest), dtype=bool))
        pixels = torch.from_numpy(decode(images, self.card.input_shape[0]))
        labels = torch.from_numpy(self.manifest.labels)
        self._all = Samples(normalise(pixels, self.card.normalisation), labels).to(device)

    def take(self, rows: NDArray[np.bool_]) -> Samples:
        """Return the samples in a ``[rows]`` mask."""
        return self._all.subset(torch.from_numpy(np.flatnonzero(rows)))

    def split(self, name: str) -> Samples:
        """Return one split, in order."""
        return self.take(self.manifest.splits == name)
