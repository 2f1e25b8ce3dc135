"""Second moments (placeholder type; being written)."""

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Moments:
    """Uncentred second moments of every covered layer's input.

    Attributes:
        layers: By layer name, ``[groups, d, d]`` float64 on the CPU.
        positions: By layer name, how many rows were summed.
        samples: How many samples they were taken over.
    """

    layers: dict[str, Tensor]
    positions: dict[str, int]
    samples: int
