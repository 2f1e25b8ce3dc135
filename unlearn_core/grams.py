"""Sums of products of rows: float32 products, added up in float64.

A product of two thousand float32 rows is accurate to seven digits and takes half as long as one in float64;
added up in float64, many such products are as accurate as one. Float64 rows stay float64.
"""

from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor

ROWS = 2**11
"""How many rows are multiplied before their products are added up in float64. Some processors sum products of
a few columns one by one, and lose a digit with eight times as many rows."""

PANEL = 512
"""Columns that are multiplied at once; only one of two mirrored products is computed."""


@dataclass(frozen=True)
class Gram:
    """The products of one call's rows with each other, summed over the rows.

    Attributes:
        form: How the sums are laid out. Sums of one form can be added; ``Layer.moment`` interprets them.
        sums: The sums, float64.
        positions: How many rows there were.
    """

    form: Hashable
    sums: Tensor
    positions: int


def upper_products(rows: Tensor) -> Tensor:
    """Return ``rows^T rows`` at and above the diagonal's panels, and zeros below them.

    Args:
        rows: ``[groups, positions, d_in]``.

    Returns:
        ``[groups, d_in, d_in]``, float64.
    """
    groups, _, d_in = rows.shape
    sums = rows.new_zeros(groups, d_in, d_in, dtype=torch.float64)
    for block in exact(rows).split(ROWS, dim=1):
        for start in range(0, d_in, PANEL):
            panel = block[..., start : start + PANEL]
            sums[:, start : start + PANEL, start:] += panel.mT @ block[..., start:]
    return sums


def mirrored(upper: Tensor) -> Tensor:
    """Copy what is above the diagonal's panels to below them, in place, and return it."""
    for stop in range(PANEL, upper.shape[-1], PANEL):
        upper[:, stop:, stop - PANEL : stop] = upper[:, stop - PANEL : stop, stop:].mT
    return upper


def exact(rows: Tensor) -> Tensor:
    """Return rows in float32 if they are of a shorter type, unchanged otherwise."""
    return rows if rows.dtype == torch.float64 else rows.float()


@contextmanager
def full_precision(device: torch.device) -> Iterator[None]:
    """Disable autocast and TensorFloat-32 for the products taken inside, on a device."""
    found = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    try:
        with torch.autocast(device.type, enabled=False):
            yield
    finally:
        torch.set_float32_matmul_precision(found)
