"""Pictures that are nearly the same: a difference hash, and the pairs whose hashes are near.

A bit says whether a cell of a grid of 8 by 8 is brighter than the one to its left, or above it.
Compressing, scaling or brightening changes few bits. Of 30 parts of photographs, 128 pixels wide, 80 to 97
% were found again after each of these and after losing a pixel on each side; of 120 with 64 pixels, 52 to
73 %; none was taken for another. What is turned, mirrored or cut by more is not found. Drawings on an even
ground are alike: of 1,797 scanned digits scaled to 32 pixels, 354 pairs of 1.6 million were near.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

_FEWEST_PIXELS = 16
_SIDE = 8
_STEP = 1
"""Brightness must grow by more than this, of 255: less is noise."""

_FEWEST_BITS = 20
"""Two pictures of fewer steps are too plain to be told apart."""

_MOST_SHARE = 0.25
_MOST_BITS = 7
"""Hashes that differ in so few bits share one of their eight parts."""

_NEIGHBOURS = 32


def difference_hash(pixels: NDArray[np.uint8]) -> str:
    """Return a picture's difference hash, 128 bits as hexadecimal digits.

    Args:
        pixels: ``[channels, height, width]``.

    Returns:
        The hash; nothing for a picture of fewer than 16 pixels on a side.
    """
    if min(pixels.shape[1:]) < _FEWEST_PIXELS:
        return ""
    grey = Image.fromarray(pixels[0] if len(pixels) == 1 else pixels.transpose(1, 2, 0)).convert("L")
    across, down = _cells(grey, _SIDE + 1, _SIDE), _cells(grey, _SIDE, _SIDE + 1)
    steps = (across[:, 1:] - across[:, :-1], down[1:] - down[:-1])
    return np.packbits(np.concatenate([step.ravel() > _STEP for step in steps])).tobytes().hex()


def _cells(grey: Image.Image, width: int, height: int) -> NDArray[np.int16]:
    return np.asarray(grey.resize((width, height), Image.Resampling.BOX), dtype=np.int16)


def near_pairs(hashes: Sequence[str]) -> list[tuple[int, int]]:
    """Return the pairs of rows whose pictures are nearly the same.

    Near hashes share one of their eight parts; rows that share a part are compared with the next 32 in the
    order of their hashes. Where many pictures look alike, not every pair is found.

    Args:
        hashes: ``[rows]``, of ``difference_hash``.

    Returns:
        Each pair once, the smaller row first, in order.
    """
    rows = np.array([row for row, one in enumerate(hashes) if one], dtype=np.int64)
    if not len(rows):
        return []
    raw = np.frombuffer(bytes.fromhex("".join(hashes)), dtype=np.uint8).reshape(len(rows), -1)
    whole, parts = raw.view(np.uint64), raw.view(np.uint16)
    found = set[tuple[int, int]]()
    for part in parts.T:
        order = np.lexsort((*whole.T, part))
        for shift in range(1, min(_NEIGHBOURS, len(rows) - 1) + 1):
            first, second = order[:-shift], order[shift:]
            shared = part[first] == part[second]
            if not shared.any():
                break
            first, second = first[shared], second[shared]
            near = _are_near(whole[first], whole[second])
            pairs = np.sort(np.stack((rows[first[near]], rows[second[near]]), axis=1))
            found.update(map(tuple, pairs.tolist()))
    return sorted(found)


def _are_near(first: NDArray[np.uint64], second: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Tell which pairs of hashes differ in few of the bits that either has."""
    differing = np.bitwise_count(first ^ second).sum(1)
    either = np.bitwise_count(first | second).sum(1)
    return (differing <= _MOST_BITS) & (differing <= _MOST_SHARE * either) & (either >= _FEWEST_BITS)
