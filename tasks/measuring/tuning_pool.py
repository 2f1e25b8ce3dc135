"""The part of a data set that a search may see: the training rows and the tuning rows."""

import numpy as np
import torch
from numpy.typing import NDArray

from tasks.checkout.checkout import Checkout
from tasks.data.datasets import each_image, read_card, read_manifest
from tasks.data.pool import Pool
from unlearn_core.data import Samples, open_image, pixels_of
from unlearn_core.errors import UsageError

READABLE_SPLITS = ("train", "tuning")


class TuningPool(Pool):
    """A data set whose audit and test rows are never decoded."""

    def __init__(self, checkout: Checkout, device: torch.device) -> None:
        """Decode the other rows."""
        self.card = read_card(checkout.dataset)
        self.manifest = read_manifest(checkout.dataset)
        self._held = np.isin(self.manifest.splits, READABLE_SPLITS)
        channels, height, width = self.card.input_shape
        pixels = np.empty((int(self._held.sum()), channels, height, width), dtype=np.uint8)
        for place, image in zip(pixels, each_image(checkout.dataset, self._held), strict=True):
            place[:] = pixels_of(open_image(image), channels, (height, width))
        labels = torch.from_numpy(self.manifest.labels[self._held])
        normalisation = self.card.normalisation
        self._all = Samples(torch.from_numpy(pixels), labels, normalisation=normalisation).to(device)

    def take(self, rows: NDArray[np.bool_]) -> Samples:
        """Return the samples in a ``[rows]`` mask.

        Raises:
            UsageError: If an audit or a test row is among them.
        """
        if (rows & ~self._held).any():
            raise UsageError(
                f"a search was asked for rows outside {' and '.join(READABLE_SPLITS)}; it may not see them"
            )
        return self._all.subset(torch.from_numpy(np.flatnonzero(rows[self._held])))
