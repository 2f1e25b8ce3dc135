"""Passes over data that release each batch before the next, and use smaller ones if memory runs out."""

from collections.abc import Callable, Iterator
from math import ceil
from typing import Protocol

import torch

from unlearn_core.data import Samples
from unlearn_core.progress import OnStep, Step


class Batches(Protocol):
    """Labelled inputs that arrive batch by batch, so that they need not all be in memory at once."""

    def __len__(self) -> int:
        """Count the samples."""
        ...

    def batches(self, size: int, /) -> Iterator[Samples]:
        """Yield them in order, ``size`` at a time, the last batch shorter."""
        ...


def show(
    samples: Batches, look: Callable[[Samples, int], None], *, batch_size: int, phase: str, on_step: OnStep
) -> None:
    """Show all samples, a batch at a time, halving batches that do not fit into memory.

    A batch that was too large is shown again from its beginning, in parts. Smaller batches stay small.

    Args:
        samples: What to show.
        look: Called with some samples, and how many came before them. If it runs out of memory half-way, it
            must itself deal with what it has kept so far.
        batch_size: Samples per batch to begin with.
        phase: The pass's name.
        on_step: Called after every batch, with the size that fits if batches had to be halved.

    Raises:
        torch.OutOfMemoryError: If there is not enough memory for a single sample.
    """
    size, before, total = batch_size, 0, ceil(len(samples) / batch_size)
    for done, batch in enumerate(samples.batches(batch_size), 1):
        start = 0
        while start < len(batch):
            part = Samples(batch.inputs[start : start + size], batch.labels[start : start + size])
            try:
                look(part, before + start)
            except torch.OutOfMemoryError:
                if len(part) == 1:
                    raise
                size = len(part) // 2
            else:
                start += len(part)
        before += len(batch)
        on_step(Step(phase, done, total, {"batch_size": float(size)} if size < batch_size else {}))
