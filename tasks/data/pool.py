"""A data set, decoded once and cut into parts."""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from tasks.checkout.checkout import Checkout
from tasks.data.datasets import read_card, read_manifest
from tasks.data.pixels import load_pixels
from unlearn_core.data import Samples
from unlearn_core.selection import Manifest


class Pool:
    """A data set decoded once, and the parts that a request cuts it into."""

    def __init__(self, checkout: Checkout, device: torch.device, folder: Path | None = None) -> None:
        """Find the pixels, or decode them.

        Args:
            checkout: The checkout; its ``run.memory_mib`` says whether all pixels are held in memory.
            device: The tensors' device.
            folder: The data set; the checkout's by default.
        """
        folder = folder or checkout.dataset
        self.card = read_card(folder)
        self.manifest: Manifest = read_manifest(folder)
        memory_mib = checkout.params.run.memory_mib
        pixels = load_pixels(checkout, folder, self.card, self.manifest, memory_mib=memory_mib)
        labels = torch.from_numpy(self.manifest.labels)
        self._all = Samples(pixels, labels, normalisation=self.card.normalisation).to(device)

    def take(self, rows: NDArray[np.bool_]) -> Samples:
        """Return the samples in a ``[rows]`` mask."""
        return self._all.subset(torch.from_numpy(np.flatnonzero(rows)))

    def split(self, name: str) -> Samples:
        """Return one split, in order."""
        return self.take(self.manifest.splits == name)
