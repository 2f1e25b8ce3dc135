"""Second moments of patches from products of pixels, each taken once.

Patches overlap: a pair of pixels lies in several of them, at other pairs of kernel entries ("taps") in each.
With ``x[a]`` the channels of pixel ``a``, pairs that meet at the same pairs of taps make one *lot* ::

    sums[lot] = Σ x[a] x[b]^T over the lot's pairs (a, b)
    C[i, j] = Σ sums[lot] over the lots whose pairs meet at the taps (i, j)

Inside the map a lot is a lag ``b - a``: a 3 × 3 kernel has 25, 13 by symmetry, where C has 81 blocks. Pixels
near the border form their own lots, which keeps the sums exact. Padding pixels are in none: on a map of one
pixel, only one of the 81 products is left. The lots of a map are the products of its axes' lots, so any
dimension, stride, dilation and padding is the same case.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import product
from math import prod

import torch
from torch import Tensor
from torch.nn import functional as F

from unlearn_core.grams import PANEL, ROWS, exact

Pair = tuple[int, int]

CALL = 1e6
"""The cost of starting one product, in floating-point operations that could be done meanwhile."""

NARROW = 50
"""A product of narrow rows takes as long as one of rows with this many more columns."""

UNFOLDING = 200
"""How many multiplications could be done in the time in which one number is copied to a patch."""


@dataclass(frozen=True)
class Axis:
    """One axis of a map, and how a kernel moves along it.

    Attributes:
        size: Pixels of the map.
        kernel: Taps of the kernel.
        stride: Pixels from one patch to the next.
        dilation: Pixels from one tap to the next.
        padding: Pixels added before and after the map.
        padding_mode: How they are filled, as in ``torch.nn.functional.pad``.
    """

    size: int
    kernel: int
    stride: int
    dilation: int
    padding: Pair
    padding_mode: str

    @property
    def positions(self) -> int:
        """How many patches there are."""
        reach = self.dilation * (self.kernel - 1)
        return (sum(self.padding) + self.size - reach - 1) // self.stride + 1

    def patches(self) -> list[list[int]]:
        """Return the pixel at each patch and tap, -1 where it is zero."""
        numbered = torch.arange(1.0, self.size + 1)[None, None]
        padded = F.pad(numbered, self.padding, mode=self.padding_mode)[0, 0].int() - 1
        reach = self.dilation * (self.kernel - 1)
        return padded.unfold(0, reach + 1, self.stride)[:, :: self.dilation].tolist()


@dataclass(frozen=True)
class Lot:
    """Pairs of pixels along an axis that meet at the same pairs of taps."""

    taps: tuple[Pair, ...]
    runs: tuple[tuple[slice, slice], ...]
    pairs: tuple[Pair, ...]

    @property
    def mirror(self) -> tuple[Pair, ...]:
        """The taps at which the pairs meet in reverse order."""
        return tuple(sorted((j, i) for i, j in self.taps))


_Cell = tuple[Lot, ...]
"""One lot of every axis: the pairs of pixels of a map that meet at the same pairs of taps."""


@cache
def lots(axis: Axis) -> tuple[Lot, ...]:
    """Return the lots of an axis."""
    meetings: dict[Pair, list[Pair]] = defaultdict(list)
    for patch in axis.patches():
        live = [(tap, pixel) for tap, pixel in enumerate(patch) if pixel >= 0]
        for (i, a), (j, b) in product(live, repeat=2):
            meetings[a, b].append((i, j))
    gathered: dict[tuple[Pair, ...], list[Pair]] = defaultdict(list)
    for pair, taps in meetings.items():
        gathered[tuple(sorted(taps))].append(pair)
    return tuple(Lot(taps, tuple(_runs(pairs)), tuple(pairs)) for taps, pairs in gathered.items())


def _runs(pairs: list[Pair]) -> Iterator[tuple[slice, slice]]:
    """Yield pairs of pixels as pairs of evenly spaced slices."""
    ordered = sorted(pairs, key=lambda pair: (pair[1] - pair[0], pair[0]))
    start = 0
    while start < len(ordered):
        steps = [
            (b[0] - a[0], b[1] - a[1]) for a, b in zip(ordered[start:], ordered[start + 1 :], strict=False)
        ]
        step = steps[0][0] if steps and steps[0][0] == steps[0][1] > 0 else 1
        length = 1 + next((at for at, found in enumerate(steps) if found != (step, step)), len(steps))
        first, last = ordered[start], ordered[start + length - 1]
        yield slice(first[0], last[0] + 1, step), slice(first[1], last[1] + 1, step)
        start += length


@cache
def cells(axes: tuple[Axis, ...]) -> tuple[_Cell, ...]:
    """Return the cells of a map, only one of two that mirror each other."""
    return tuple(
        cell
        for cell in product(*map(lots, axes))
        if tuple(lot.taps for lot in cell) <= tuple(lot.mirror for lot in cell)
    )


def pair_products(images: Tensor, axes: tuple[Axis, ...]) -> Tensor:
    """Sum the products of pairs of pixels, cell by cell.

    Args:
        images: ``[images, groups, channels, *map]``, without padding.
        axes: The map's axes.

    Returns:
        ``[cells, groups, channels, channels]``, float64.
    """
    groups, channels = images.shape[1:3]
    sums = images.new_zeros(len(cells(axes)), groups, channels, channels, dtype=torch.float64)
    for block in exact(images).split(max(1, ROWS // prod(images.shape[3:]))):
        pixels = _pixels_first(block)
        part = pixels.new_zeros(sums.shape)
        for total, cell in zip(part, cells(axes), strict=True):
            for first, second in _factors(pixels, cell):
                total.baddbmm_(first.mT, second)
        sums += part
    return sums


def _pixels_first(images: Tensor) -> Tensor:
    """Return ``[groups, *map, images, channels]`` of ``[images, groups, channels, *map]``."""
    count, groups, channels, *sizes = images.shape
    flat = images.reshape(count * groups * channels, -1).T.contiguous()  # the fastest way to transpose
    return flat.view(*sizes, count, groups, channels).movedim(-2, 0)


def _factors(pixels: Tensor, cell: _Cell) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield a cell's pairs of pixels, run by run of the last axis: ``[groups, positions, channels]``."""
    for *leading, (first, second) in product(*(lot.pairs for lot in cell[:-1]), cell[-1].runs):
        yield (
            pixels[(slice(None), *(a for a, _ in leading), first)].flatten(1, 2),
            pixels[(slice(None), *(b for _, b in leading), second)].flatten(1, 2),
        )


def moment_of_pairs(sums: Tensor, axes: tuple[Axis, ...]) -> Tensor:
    """Return the second moment of patches, ``[groups, channels · kernel, channels · kernel]``.

    Args:
        sums: What ``pair_products`` returns, or a sum of several.
        axes: The map's axes.

    Returns:
        The moment, float64.
    """
    kernel = [axis.kernel for axis in axes]
    _, groups, channels, _ = sums.shape
    moment = sums.new_zeros(groups, channels, prod(kernel), channels, prod(kernel))
    for total, cell in zip(sums, cells(axes), strict=True):
        mirrors = all(lot.taps == lot.mirror for lot in cell)
        for met in product(*(lot.taps for lot in cell)):
            i, j = (_flat([pair[side] for pair in met], kernel) for side in (0, 1))
            moment[:, :, i, :, j] += total
            if not mirrors:
                moment[:, :, j, :, i] += total.mT
    return moment.flatten(3, 4).flatten(1, 2)


def _flat(taps: list[int], kernel: list[int]) -> int:
    """Return the index of a tap among all taps, the last axis varying fastest."""
    place = 0
    for tap, size in zip(taps, kernel, strict=True):
        place = place * size + tap
    return place


def cost_of_pairs(images: int, groups: int, channels: int, axes: tuple[Axis, ...]) -> float:
    """Estimate how many floating-point operations the sums of pair products take.

    Args:
        images: How many images.
        groups: Groups of channels.
        channels: Channels of one group.
        axes: The map's axes.

    Returns:
        Their number, plus those that could have been done while products start and rows are read.
    """
    pairs = sum(prod(len(lot.pairs) for lot in cell) for cell in cells(axes))
    calls = sum(prod(len(lot.pairs) for lot in cell[:-1]) * len(cell[-1].runs) for cell in cells(axes))
    return images * groups * pairs * 2 * (channels + NARROW) ** 2 + CALL * calls


def cost_of_patches(images: int, groups: int, channels: int, axes: tuple[Axis, ...]) -> float:
    """Return the same for unfolding all patches and multiplying them; see ``cost_of_pairs``."""
    d_in = channels * prod(axis.kernel for axis in axes)
    positions = prod(axis.positions for axis in axes)
    columns = d_in if d_in <= PANEL else (d_in + PANEL) / 2  # only one of two mirrored products is computed
    return images * groups * positions * 2 * d_in * (columns + UNFOLDING)
